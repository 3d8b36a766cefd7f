"""Manual decisions and their reasons: `audit.decisions`."""

from datetime import datetime

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.workbench.ledger_schema import ledger_time


def record_decision(
    con: duckdb.DuckDBPyConnection, decision: str, subject: str, reason: str
) -> None:
    """Record a manual decision on a release or publication, with its reason. Raises BadInput."""
    if not reason.strip():
        raise BadInput(
            "a decision without a reason",
            where=f"{decision} {subject}",
            expected="a reason that the next person on duty understands",
            found="none",
            fix='give a reason: REASON="..." with make, `reason` in the UI',
        )
    con.execute(
        "insert into audit.decisions values (?, ?, ?, ?)",
        # Bytes that are not UTF-8 cannot be stored.
        [ledger_time(con), decision, subject, reason.encode("utf-8", "backslashreplace").decode()],
    )


def last_decisions(con: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """Return when each release, as `<source>/<date>`, was last decided on, in UTC."""
    return dict(
        con.execute(
            "select subject, max(decided_at) from audit.decisions group by subject"
        ).fetchall()
    )
