"""Manual decisions on a release: reject, accept, forget. The ledger keeps the reasons.

They change the set of current releases; the next run builds and publishes accordingly.
"""

from datetime import date

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.ingest.raw_rows import create_raw_tables, drop_rows_not_current
from dagster_project.sources import all_sources
from dagster_project.sources.source import Source
from dagster_project.workbench.connection import transaction
from dagster_project.workbench.decisions import record_decision
from dagster_project.workbench.gate_results import STRUCTURE, last_gate_results
from dagster_project.workbench.releases import file_entries, set_release_status

# The reason of a file's entry begins so if a person, not the gate, decided.
REJECTED, ACCEPTED = "rejected by hand: ", "accepted by hand: "


def reject(con: duckdb.DuckDBPyConnection, release: str, reason: str) -> None:
    """Reject a current release (`<source>/<date>`). Raises BadInput."""
    source, day = _parse_release(release)
    entries = file_entries(con, source.name, day)
    accepted = entries.get("accepted")
    if not accepted:
        raise _wrong_status(release, "accepted", ", ".join(entries) or "no such release")
    loaded_at = accepted[0].loaded_at
    with transaction(con):
        record_decision(con, "reject", release, reason)
        set_release_status(con, source.name, day, loaded_at, "rejected", f"{REJECTED}{reason}")


def accept(con: duckdb.DuckDBPyConnection, release: str, reason: str) -> None:
    """Accept the last load of a release that its gate rejected. Raises BadInput.

    A release whose files could not be read has no rows and stays rejected. So does one that failed
    a rule of kind `structure`: its rows are not the data they claim to be.
    """
    source, day = _parse_release(release)
    create_raw_tables(con, source)
    entries = file_entries(con, source.name, day)
    rejected = entries.get("rejected")
    if not rejected:
        raise _wrong_status(release, "rejected", ", ".join(entries) or "no such release")
    loaded_at = max(entry.loaded_at for entry in rejected)  # of several loads, the last
    counts = [
        con.execute(
            f'select count(*) from raw."{table.name}" where _release = ? and _loaded_at = ?',
            [day, loaded_at],
        ).fetchall()[0][0]
        for table in source.tables
    ]
    if not any(counts):
        raise BadInput(
            "the release has no rows",
            where=release,
            expected="a release that was loaded, and then rejected by its gate",
            found="no row in its raw tables: its files could not be read",
            fix="correct the files or the source's module, then reload the release",
        )
    tables = [f"raw.{table.name}" for table in source.tables]
    broken = [
        f"{detail['expectation']} ({result.table_name}, {detail['observed']})"
        for result in last_gate_results(con, tables, day)
        for detail in result.details
        if detail.get("kind") == STRUCTURE and not detail["success"]
    ]
    if broken:
        raise BadInput(
            "the release failed rules of structure",
            where=release,
            expected="a release that failed only rules of plausibility",
            found="failed rules of structure: " + "; ".join(broken),
            fix="put the correct file into the release folder, or correct the layout or the rule"
            " (docs/gate-policy.md), then `make run RELOAD=" + release + "`",
        )
    with transaction(con):
        record_decision(con, "accept", release, reason)
        set_release_status(con, source.name, day, loaded_at, "accepted", f"{ACCEPTED}{reason}")
        drop_rows_not_current(con, source, day)


def forget(con: duckdb.DuckDBPyConnection, release: str, reason: str) -> None:
    """Delete a release's rows and file entries, as if it had never been loaded. Raises BadInput.

    If its files stay in the landing folder, the next run loads it as a new release.
    """
    source, day = _parse_release(release)
    create_raw_tables(con, source)
    with transaction(con):
        record_decision(con, "forget", release, reason)
        deleted = con.execute(
            "delete from audit.releases where source = ? and release_date = ? returning 1",
            [source.name, day],
        ).fetchall()
        if not deleted:
            raise _wrong_status(release, "any status")
        drop_rows_not_current(con, source, day)


DECISIONS = {"reject": reject, "accept": accept, "forget": forget}


def _parse_release(release: str) -> tuple[Source, date]:
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


def _wrong_status(release: str, expected: str, found: str = "no such release") -> BadInput:
    return BadInput(
        f"the release is not {expected}",
        where=release,
        expected=expected,
        found=found,
        fix="`make status` lists the releases and their states",
    )
