"""Whether two published files have the same tables: columns, comments, and rows as multisets.

`python -m benchmarks.equal <published file> <another>` exits with 1 and names the tables that differ.
Rows are compared by the sum of their digests, so that fifty million of them fit into memory.
"""

import sys
from pathlib import Path

import duckdb

SCHEMAS = ("core", "marts")

_COLUMNS = """
select schema_name || '.' || table_name as name, column_name, data_type, comment, column_index
from duckdb_columns()
where database_name = ? and list_contains(?, schema_name)
order by all
"""
_COMMENTS = """
select schema_name || '.' || table_name as name, comment from duckdb_tables()
where database_name = ? and list_contains(?, schema_name)
"""
_MACROS = """
select function_name, parameters::varchar, macro_definition, comment from duckdb_functions()
where database_name = ? and not internal order by all
"""


def unequal_tables(one: Path, other: Path) -> tuple[int, list[str]]:
    """Return the number of tables, and a line for each that differs."""
    with duckdb.connect() as con:
        sides = {"one": one, "other": other}
        for alias, path in sides.items():
            con.execute(f"attach '{path}' as {alias} (read_only)")
        found = [_contents(con, alias) for alias in sides]
    names = sorted(found[0].keys() | found[1].keys())
    return len(names), [
        f"{name}: {found[0].get(name)} and {found[1].get(name)}"
        for name in names
        if found[0].get(name) != found[1].get(name)
    ]


def _contents(con: duckdb.DuckDBPyConnection, alias: str) -> dict[str, tuple]:
    """By table: comment, columns with types and comments, number of rows, sum of their digests."""
    columns: dict[str, list[tuple]] = {}
    for name, *column in con.execute(_COLUMNS, [alias, list(SCHEMAS)]).fetchall():
        columns.setdefault(name, []).append(tuple(column))
    comments = dict(con.execute(_COMMENTS, [alias, list(SCHEMAS)]).fetchall())
    contents = {
        name: (
            comments[name],
            hash(tuple(columns[name])),
            *con.execute(
                f"select count(*), sum(hash(listed)::hugeint) from {alias}.{name} as listed"
            ).fetchall()[0],
        )
        for name in columns
    }
    contents["macros"] = tuple(con.execute(_MACROS, [alias]).fetchall())
    return contents


if __name__ == "__main__":
    number, differing = unequal_tables(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(differing) or f"the same rows and comments in {number} tables")
    sys.exit(bool(differing))
