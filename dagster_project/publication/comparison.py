"""Compares two publications: equal except for their histories.

Equal means the same schemas, tables, columns, constraints, views, macros and comments, and the same
rows, in any order. The ledger may differ in times, in ids, and in history: loads that are not
current, decisions, and earlier results of a gate.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.base.sql import literal
from dagster_project.workbench.checksums import checksum_query

# Kind of object -> query: its name, then its properties.
_OF_THE_FILE = "where not internal and database_name = $file"
_CATALOG = {
    "schema": f"select schema_name, comment, tags from duckdb_schemas() {_OF_THE_FILE}",
    "table": "select schema_name || '.' || table_name, comment, tags from duckdb_tables()"
    f" {_OF_THE_FILE}",
    "column": "select schema_name || '.' || table_name || '.' || column_name, column_index,"
    f" data_type, is_nullable, column_default, comment from duckdb_columns() {_OF_THE_FILE}",
    "constraint": "select schema_name || '.' || table_name, constraint_text"
    " from duckdb_constraints() where database_name = $file",
    "index": "select schema_name || '.' || index_name, sql, comment from duckdb_indexes()"
    " where database_name = $file",
    "view": f"select schema_name || '.' || view_name, sql, comment from duckdb_views()"
    f" {_OF_THE_FILE}",
    "macro": "select function_name, schema_name, function_type, parameters,"
    f" parameter_types, macro_definition, comment from duckdb_functions() {_OF_THE_FILE}",
    "sequence": "select schema_name || '.' || sequence_name, sql, comment from duckdb_sequences()"
    " where database_name = $file",
    "type": "select schema_name || '.' || type_name, logical_type, labels, comment"
    f" from duckdb_types() {_OF_THE_FILE}",
}

# The rows to compare of each table of the ledger; `{file}` is the file's name in the connection.
_CANDIDATE = "(select max_by(candidate_id, published_at) from {file}.audit.publication)"  # its own
_LEDGER = {
    "audit.releases": "select * exclude (loaded_at) from {file}.audit.releases"
    " where status = 'accepted'",
    "audit.gate_results": "select gate, table_name, arg_max(columns(['success', 'expectations',"
    " 'failed', 'details']), checked_at) from {file}.audit.gate_results"
    f" where candidate_id = {_CANDIDATE} group by all",
    "audit.publication": "select max_by(duckdb_version, published_at) from {file}.audit.publication"
    " having count(*) > 0",
    "audit.checksums": "from {file}.audit.checksums where table_name not like 'audit.%'",
}


def differences(one: Path, other: Path) -> list[str]:
    """Return a line for each difference between two publications; empty if they are equal.

    What gates found while releases were loaded is not compared: it depends on the order in which
    they arrived. Raises duckdb.Error if a file cannot be read.
    """
    with duckdb.connect() as con:
        # Attached, since a macro of the database that is open hides DuckDB's function of that name.
        for path, name in ((one, "one"), (other, "other")):
            con.execute(f"attach {literal(str(path))} as {name} (read_only)")
        con.execute("set enable_external_access = false")
        catalogs = [_catalog(con, name) for name in ("one", "other")]
        lines = [
            line for kind in _CATALOG for line in _differing(kind, *(c[kind] for c in catalogs))
        ]
        tables = [{row[0] for row in catalog["table"]} for catalog in catalogs]
        for table in sorted(set.intersection(*tables) - {"audit.decisions"}):
            query = _LEDGER.get(table, "from {file}." + table)
            try:
                counts = rows_apart(con, query.format(file="one"), query.format(file="other"))
            except duckdb.BinderException as error:  # other columns, which the catalog shows
                lines.append(f"rows of {table} cannot be compared: {str(error).splitlines()[0]}")
                continue
            if any(counts):
                lines.append(
                    f"rows of {table}: {counts[0]:,} in the first file alone,"
                    f" {counts[1]:,} in the second alone"
                )
    return lines


def rows_apart(con: duckdb.DuckDBPyConnection, one: str, other: str) -> tuple[int, int]:
    """Return how many rows only the first query has, and only the second; duplicates count.

    Large results are compared by their hashes, and row by row only if those differ.
    """
    digests = [con.execute(checksum_query(f"({query})")).fetchall() for query in (one, other)]
    if digests[0] == digests[1]:
        return 0, 0
    first, second = (
        con.execute(f"select count(*) from ({a} except all {b})").fetchall()[0][0]
        for a, b in ((f"({one})", f"({other})"), (f"({other})", f"({one})"))
    )
    return first, second


def _catalog(con: duckdb.DuckDBPyConnection, file: str) -> dict[str, Counter[tuple]]:
    return {
        kind: Counter(tuple(map(str, row)) for row in con.execute(query, {"file": file}).fetchall())
        for kind, query in _CATALOG.items()
    }


def _differing(kind: str, one: Mapping[tuple, int], other: Mapping[tuple, int]) -> list[str]:
    """Return a line per name whose properties differ."""
    names: dict[str, list[list[tuple]]] = {}
    first, second = Counter(one), Counter(other)
    for side, alone in enumerate((first - second, second - first)):
        for name, *properties in alone.elements():
            names.setdefault(name, [[], []])[side].append(tuple(properties))
    return [
        f"{kind} {name}: {_list(left)} in the first file, {_list(right)} in the second"
        for name, (left, right) in sorted(names.items())
    ]


def _list(found: list[tuple]) -> str:
    return "; ".join(", ".join(properties) for properties in sorted(found)) or "nothing"
