"""Which gate results are carried over."""

from typing import Any

import duckdb
import pytest

from dagster_project.workbench.gate_results import (
    LIST,
    PLAUSIBILITY,
    STRUCTURE,
    GateResult,
    passed_before,
    record_gate_results,
)
from dagster_project.workbench.ledger_schema import create_ledger

TABLE = "marts.things"


@pytest.fixture
def ledger(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    create_ledger(con)
    return con


def detail(kind: str = STRUCTURE, *, success: bool = True) -> dict[str, Any]:
    return {"expectation": "a rule", "kind": kind, "success": success, "severity": "critical"}


def result(*details: dict[str, Any], made_from: str | None = "rows", **more: Any) -> GateResult:
    failed = sum(not each["success"] for each in details)
    success = not any(not each["success"] and each["kind"] != LIST for each in details)
    return GateResult(
        "marts", TABLE, None, success, len(details), failed, details, made_from=made_from, **more
    )


def test_a_result_of_the_same_rows_and_suite_is_carried_over_with_its_run(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    passed = result(detail(), row_count=3, checksum="12", suite_sha256="abc")
    record_gate_results(ledger, [passed], "run 1", "candidate 1")
    carried = passed_before(ledger, {TABLE: "rows"})[TABLE]
    assert carried.carried_from == "run 1"
    assert (carried.row_count, carried.checksum, carried.suite_sha256) == (3, "12", "abc")
    assert list(carried.details) == [detail()]
    record_gate_results(ledger, [carried], "run 2", "candidate 2")
    # It names the run that evaluated it, however often it was carried over.
    assert passed_before(ledger, {TABLE: "rows"})[TABLE].carried_from == "run 1"


def test_a_result_of_other_rows_or_of_another_table_is_not_carried_over(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    record_gate_results(ledger, [result(detail())], "run 1", "candidate 1")
    assert passed_before(ledger, {TABLE: "other rows"}) == {}
    assert passed_before(ledger, {"marts.others": "rows"}) == {}
    record_gate_results(ledger, [result(detail(), made_from=None)], "run 2", "candidate 2")
    assert passed_before(ledger, {}) == {}


@pytest.mark.parametrize("kind", [STRUCTURE, PLAUSIBILITY])
def test_a_failure_is_evaluated_again(ledger: duckdb.DuckDBPyConnection, kind: str) -> None:
    record_gate_results(ledger, [result(detail())], "run 1", "candidate 1")
    record_gate_results(ledger, [result(detail(kind, success=False))], "run 2", "candidate 2")
    assert passed_before(ledger, {TABLE: "rows"}) == {}  # the last result counts


def test_a_failure_that_a_person_has_excused_is_evaluated_again(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    excused = detail(PLAUSIBILITY, success=False) | {"severity": "warning"}
    record_gate_results(ledger, [result(excused)], "run 1", "candidate 1")
    assert passed_before(ledger, {TABLE: "rows"}) == {}


def test_a_list_that_warns_is_carried_over_with_its_warning(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    record_gate_results(ledger, [result(detail(LIST, success=False))], "run 1", "candidate 1")
    carried = passed_before(ledger, {TABLE: "rows"})[TABLE]
    assert carried.success
    assert carried.failed == 1
