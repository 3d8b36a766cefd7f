from datetime import date
from typing import Any

from dagster_project.gates.explain import explain
from dagster_project.workbench.gate_results import GateResult


def result(*details: dict[str, Any], table: str = "raw.things") -> GateResult:
    failed = [detail for detail in details if not detail["success"]]
    critical = [detail for detail in failed if detail["severity"] == "critical"]
    return GateResult(
        "raw", table, date(2021, 9, 15), not critical, len(details), len(failed), details
    )


def detail(success: bool = False, severity: str = "critical", **more: Any) -> dict[str, Any]:
    return {
        "expectation": "code is known",
        "success": success,
        "severity": severity,
        "observed": "2 rows of 9",
        "failing_rows": [
            {"_file": "a.csv", "_sheet": None, "_row": 7, "code": "QQQ"},
            {"_file": "a.csv", "_sheet": None, "_row": 9, "code": "ZZZ"},
        ],
        "fix": "add the code",
        **more,
    }


def test_a_failure_says_what_where_expected_found_and_what_to_do() -> None:
    assert explain([result(detail())]) == (
        "raw.things 2021-09-15 | expected: code is known | found: 2 rows of 9,"
        " the first: file 'a.csv', row 7, code 'QQQ' | what to do: add the code"
    )


def test_each_failed_expectation_has_a_line_and_the_others_none() -> None:
    first = result(detail(), detail(success=True), detail(severity="warning"))
    second = result(detail(failing_rows=[], fix=""), table="raw.others")
    assert explain([first, second]).splitlines() == [
        explain([first]),
        "raw.others 2021-09-15 | expected: code is known | found: 2 rows of 9",
    ]


def test_without_a_failure_explain_prints_nothing() -> None:
    assert explain([result(detail(success=True))]) == ""


def test_an_error_of_many_lines_becomes_one() -> None:
    message = explain(
        [result(detail(observed="Conversion Error\n\nLINE 2: ...\n   ^", failing_rows=[]))]
    )
    assert "found: Conversion Error LINE 2: ... ^ | what to do: add the code" in message
    assert "\n" not in message
