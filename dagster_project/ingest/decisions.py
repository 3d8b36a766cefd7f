"""Decisions on a release that a person makes: reject, accept, forget. The ledger keeps the reason.

They change which releases are in force; the next run builds and publishes accordingly.
"""

from datetime import date

import duckdb

from dagster_project import ledger
from dagster_project.errors import BadInput
from dagster_project.ingest.load import create_raw_tables, drop_rows_not_in_force
from dagster_project.sources import all_sources
from dagster_project.sources.source import Source
from dagster_project.workbench import transaction


def reject(con: duckdb.DuckDBPyConnection, release: str, reason: str) -> None:
    """Take a release (`<source>/<date>`) out of force. Raises BadInput."""
    source, day = _known(release)
    _change(con, source, day, "accepted", "rejected", f"rejected by hand: {reason}")


def accept(con: duckdb.DuckDBPyConnection, release: str, reason: str) -> None:
    """Put a release into force that its gate rejected. Raises BadInput.

    A release whose files could not be read has no rows to put into force, and stays rejected.
    """
    source, day = _known(release)
    create_raw_tables(con, source)
    counts = [
        con.execute(
            f'select count(*) from raw."{table.name}" where _release = ?', [day]
        ).fetchall()[0][0]
        for table in source.tables
    ]
    if not any(counts):
        raise BadInput(
            "a release that has no rows",
            where=release,
            expected="a release that was loaded, and then rejected by its gate",
            found="no row in its raw tables: its files could not be read",
            fix="mend the files or the source's module, then reload the release",
        )
    _change(con, source, day, "rejected", "accepted", f"accepted by hand: {reason}")


def forget(con: duckdb.DuckDBPyConnection, release: str) -> None:
    """Delete a release's rows and ledger entries, as if it had never been seen. Raises BadInput.

    While its files stay in the landing folder, the next run loads it as a new one.
    """
    source, day = _known(release)
    create_raw_tables(con, source)
    with transaction(con):
        deleted = con.execute(
            "delete from audit.releases where source = ? and release_date = ? returning 1",
            [source.name, day],
        ).fetchall()
        if not deleted:
            raise _not_there(release, "any status")
        drop_rows_not_in_force(con, source, day)


def _change(
    con: duckdb.DuckDBPyConnection, source: Source, day: date, before: str, after: str, reason: str
) -> None:
    changed = con.execute(
        "update audit.releases set status = ?, reason = ?"
        " where source = ? and release_date = ? and status = ? returning 1",
        [after, reason, source.name, day, before],
    ).fetchall()
    if not changed:
        found = ", ".join(ledger.file_entries(con, source.name, day)) or "no such release"
        raise _not_there(f"{source.name}/{day}", before, found)


def _known(release: str) -> tuple[Source, date]:
    name, _, day = release.partition("/")
    try:
        return all_sources()[name], date.fromisoformat(day)
    except (KeyError, ValueError):
        raise BadInput(
            "not a release",
            where=release,
            expected="<source>/<date>, with a source among " + ", ".join(all_sources()),
            found=release,
            fix="`make status` lists the releases",
        ) from None


def _not_there(release: str, expected: str, found: str = "no such release") -> BadInput:
    return BadInput(
        "a release in another state",
        where=release,
        expected=expected,
        found=found,
        fix="`make status` lists the releases and their states",
    )
