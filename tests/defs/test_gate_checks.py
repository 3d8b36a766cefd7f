"""What a gate shows in the UI."""

from datetime import date
from typing import Any

import dagster as dg

from dagster_project.defs.gate_checks import check_results
from dagster_project.workbench.gate_results import GateResult

PASSED = {
    "expectation": "a code is known",
    "kind": "structure",
    "severity": "critical",
    "success": True,
    "observed": "0 rows",
    "rows_checked": 12_345,
    "failing_rows": [],
    "fix": "look at the cell",
}


def shown(*results: GateResult, table: str = "expectations") -> list[dict[str, Any]]:
    """The records of a table in the metadata of the one check that these results are."""
    (check,) = check_results(results)
    value = check.metadata[table]
    assert isinstance(value, dg.TableMetadataValue)
    return [dict(record.data) for record in value.records]


def result(day: int, *details: dict[str, Any]) -> GateResult:
    failed = sum(not detail["success"] for detail in details)
    of = date(2021, 9, day)
    return GateResult("raw", "raw.things", of, not failed, len(details), failed, details)


def test_the_number_of_checked_rows_is_beside_the_findings() -> None:
    assert shown(result(15, PASSED)) == [
        {
            "result": "passed",
            "expectation": "a code is known",
            "kind": "structure",
            "severity": "critical",
            "observed": "0 rows",
            "rows checked": "12,345",
            "what to do": "",
        }
    ]


def test_each_release_has_its_own_number_and_failures_come_first() -> None:
    failed = {**PASSED, "success": False, "observed": "1 row", "rows_checked": None}
    records = shown(result(15, PASSED, failed), result(16, {**PASSED, "rows_checked": 7}))
    assert [(record["release"], record["rows checked"]) for record in records] == [
        ("2021-09-15", ""),
        ("2021-09-15", "12,345"),
        ("2021-09-16", "7"),
    ]
