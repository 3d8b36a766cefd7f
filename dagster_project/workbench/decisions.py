"""Manual decisions and their reasons: `audit.decisions`."""

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
