"""The rows of raw tables, by load and release.

A raw row belongs to one load of one file; `audit.releases` says whether that load is current.
"""

from datetime import date, datetime

import duckdb

from dagster_project.layouts import RawTable
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release, Source
from dagster_project.workbench.releases import set_release_status


def create_raw_tables(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Create a source's missing raw tables."""
    for table in source.tables:
        con.execute(table.ddl)


def count_rows(con: duckdb.DuckDBPyConnection, table: RawTable, release: Release) -> int:
    """Return how many rows of a release a raw table has."""
    row = con.execute(
        f'select count(*) from raw."{table.name}" where _release = ?', [release.date]
    ).fetchone()
    return row[0] if row else 0


def drop_rows_not_current(con: duckdb.DuckDBPyConnection, source: Source, release: date) -> None:
    """Delete a release's raw rows, except those of accepted loads."""
    for table in source.tables:
        con.execute(
            f"""
            delete from raw."{table.name}" as rows
            where _release = $release
            and not exists (
                select 1 from audit.releases
                where source = rows._source and release_date = rows._release
                and file_name = rows._file and loaded_at = rows._loaded_at and status = 'accepted'
            )
            """,
            {"release": release},
        )


def drop_superseded_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Delete the raw rows of superseded loads, which a published file does not need."""
    for source, release, loaded_at, _ in _superseded_loads(con):
        for table in source.tables:
            con.execute(
                f'delete from raw."{table.name}" where _release = ? and _loaded_at = ?',
                [release, loaded_at],
            )


def restore_superseded(con: duckdb.DuckDBPyConnection, source: str, release: date) -> None:
    """Accept the load again that a release's last one replaced, if its rows still exist."""
    for owner, day, loaded_at, reason in _superseded_loads(con):
        if (owner.name, day) == (source, release) and any(
            con.execute(
                f'select 1 from raw."{table.name}" where _release = ? and _loaded_at = ? limit 1',
                [day, loaded_at],
            ).fetchall()
            for table in owner.tables
        ):
            set_release_status(con, source, release, loaded_at, "accepted", reason)
            return


def _superseded_loads(
    con: duckdb.DuckDBPyConnection,
) -> list[tuple[Source, date, datetime, str | None]]:
    """Return superseded loads of known sources, latest first."""
    sources = all_sources()
    return [
        (sources[source], release, loaded_at, reason)
        for source, release, loaded_at, reason in con.execute(
            "select source, release_date, loaded_at, min(reason) from audit.releases"
            " where status = 'superseded' group by all order by loaded_at desc"
        ).fetchall()
        if source in sources
    ]


def loaded_rows_query(table: RawTable, release: date, loaded_at: datetime) -> str:
    """Return the SQL that limits a raw table to one load of one release."""
    return (
        f"select * from raw.\"{table.name}\" where _release = date '{release}'"
        f" and _loaded_at = timestamp '{loaded_at}'"
    )
