"""Verifies a publication against its own checksums and gate results. Opens files read-only."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.base.settings import Settings
from dagster_project.base.sql import literal
from dagster_project.workbench.checksums import Checksum, checksum_query

_TABLES = """
select schema_name || '.' || table_name
from system.main.duckdb_tables()
where not internal and database_name = current_database()
    and schema_name || '.' || table_name <> 'audit.checksums'
order by all
"""

_GATES = """
select table_name
from audit.gate_results
where candidate_id = (select max_by(candidate_id, published_at) from audit.publication)
group by table_name
having arg_max(success, checked_at)
"""


def checksums(con: duckdb.DuckDBPyConnection, schema: str = "") -> list[tuple[str, int, str]]:
    """Return name, row count and checksum of every table of a publication, or of one of its
    schemas, except `audit.checksums`.

    The checksum is the sum of the rows' hashes, so the order of the rows does not matter. It
    depends on the version of DuckDB, whose `hash` may change.
    """
    tables = [name for (name,) in con.execute(_TABLES).fetchall() if name.startswith(schema)]
    return [(name, *con.execute(checksum_query(name)).fetchall()[0]) for name in tables]


def changed_tables(settings: Settings, gated: Mapping[str, Checksum]) -> list[str]:
    """Return the differences between the candidate's tables and what their gates saw.

    gated: what the gates saw, by `<schema>.<table>`.
    """
    # Attached, since functions of the database that is open come before DuckDB's own.
    with duckdb.connect(config=settings.duckdb_config) as con:
        con.execute(f"attach {literal(str(settings.candidate))} as candidate (read_only)")
        return [
            f"{table} is not as its gate saw it: {seen} then; {found} now"
            for table, seen in gated.items()
            if (found := _content(con, f"candidate.{table}")) != seen
        ]


def _content(con: duckdb.DuckDBPyConnection, table: str) -> Checksum | str:
    try:
        return Checksum(*con.execute(checksum_query(table)).fetchall()[0])
    except duckdb.CatalogException:
        return "no such table"
    except duckdb.Error as error:
        return f"it cannot be read ({str(error).splitlines()[0]})"


def integrity_errors(path: Path) -> list[str]:
    """Return the problems of a publication's file; empty if it is complete and audited.

    Complete: each table has the published rows. Audited: it names its publication, and every table
    of core and marts last passed its gate for this candidate.
    """
    try:
        with duckdb.connect(path, read_only=True) as con:
            stated = con.execute("from audit.checksums order by table_name").fetchall()
            found = checksums(con)
            passed = {name for (name,) in con.execute(_GATES).fetchall()}
            publications = con.execute("select count(*) from audit.publication").fetchall()
            (written_by,) = con.execute(
                "select max_by(duckdb_version, published_at) from audit.publication"
            ).fetchall()[0]
    except duckdb.Error as error:
        return [f"it cannot be read: {str(error).splitlines()[0]}"]
    compared = 3 if written_by == duckdb.__version__ else 2  # other versions' hashes may differ
    different = {row[:compared] for row in stated} ^ {row[:compared] for row in found}
    wrong = [f"{name} is not as published" for name in sorted({row[0] for row in different})]
    wrong += [
        f"the gate on {name} has not passed"
        for name, *_ in found
        if not name.startswith("audit.") and name not in passed
    ]
    if publications == [(0,)]:
        wrong.append("it does not name its publication")
    return wrong
