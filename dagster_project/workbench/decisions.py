"""What a person decided, and why: `audit.decisions`."""

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.workbench.ledger_schema import ledger_time


def record_decision(
    con: duckdb.DuckDBPyConnection, decision: str, subject: str, reason: str
) -> None:
    """Enter what a person decided on a release or a publication, and why. Raises BadInput."""
    if not reason.strip():
        raise BadInput(
            "a decision without a reason",
            where=f"{decision} {subject}",
            expected="the reason, in words that the next person on duty understands",
            found="none",
            fix='say it: REASON="..." with make, `reason` in the UI',
        )
    con.execute(
        "insert into audit.decisions values (?, ?, ?, ?)",
        [ledger_time(con), decision, subject, reason],
    )
