"""A suite file becomes a suite; a mistake in it becomes one error."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dagster_project.base.errors import BadInput
from dagster_project.gates.suite_files import raise_if_unused, read_suite, suite_path

TABLE = "raw.made_up__things"
RULES: dict[str, dict[str, Any]] = {
    "filled": {
        "parameters": ["column"],
        "description": "$column is filled",
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "$column"},
        "kind": "structure",
        "fix": "look",
    },
    "known": {
        "parameters": ["column"],
        "description": "$column is known",
        "query": "unknown",
        "kind": "list",
        "fix": "add the code",
    },
}
RULES_SQL = "-- name: unknown\nselect $column\nfrom $batch\nwhere $column not in $codes\n;\n"
FIXES = {"look": "look at the cell"}
FILLED = {"rule": "filled", "with": {"column": "area"}, "ground": "a document"}
KNOWN = {"rule": "known", "with": {"column": "area"}, "ground": "a document"}
OWN = {
    "description": "no such row",
    "query": "select 1 from $batch",
    "kind": "plausibility",
    "ground": "a document",
    "fix": "look",
}


def read(root: Path, *expectations: dict[str, Any], sql: str = "") -> list[dict[str, Any]]:
    """Write a suite beside rules and fixes, and read it."""
    path = suite_path(TABLE, root)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"lineage": ["_row"], "expectations": expectations}))
    if sql:
        path.with_suffix(".sql").write_text(sql)
    (root / "_rules.json").write_text(json.dumps(RULES))
    (root / "_rules.sql").write_text(RULES_SQL)
    (root / "_fixes.json").write_text(json.dumps(FIXES))
    suite = read_suite(TABLE, root)
    assert (suite["name"], suite["meta"]) == (TABLE, {"lineage": ["_row"]})
    return suite["expectations"]


def test_a_rule_is_filled_with_its_values(tmp_path: Path) -> None:
    assert read(tmp_path, FILLED, KNOWN) == [
        {
            "type": "expect_column_values_to_not_be_null",
            "description": "area is filled",
            "severity": "critical",
            "kwargs": {"column": "area"},
            "meta": {"kind": "structure", "ground": "a document", "fix": "look at the cell"},
        },
        {
            "type": "unexpected_rows_expectation",
            "description": "area is known",
            "severity": "warning",
            "kwargs": {
                "unexpected_rows_query": "select area\nfrom $batch\nwhere area not in $codes"
            },
            "meta": {"kind": "list", "ground": "a document", "fix": "add the code"},
        },
    ]


def test_an_expectations_own_text_wins(tmp_path: Path) -> None:
    (found,) = read(tmp_path, {**FILLED, "description": "an area", "fix": "ask for the area"})
    assert (found["description"], found["meta"]["fix"]) == ("an area", "ask for the area")


def test_a_query_given_as_one_word_is_in_the_file_beside_the_suite(tmp_path: Path) -> None:
    sql = "-- name: first\nselect 1\n;\n\n-- name: second\nselect 2\nfrom $batch\n;\n"
    found = read(tmp_path, {**OWN, "query": "second"}, {**OWN, "query": "first"}, sql=sql)
    assert [expectation["kwargs"]["unexpected_rows_query"] for expectation in found] == [
        "select 2\nfrom $batch",
        "select 1",
    ]


def test_a_file_has_a_query_once(tmp_path: Path) -> None:
    sql = "-- name: first\nselect 1\n;\n-- name: first\nselect 2\n;\n"
    with pytest.raises(BadInput, match=r"made_up__things\.sql \| expected: each name once"):
        read(tmp_path, {**OWN, "query": "first"}, sql=sql)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({**FILLED, "rule": "no_such"}, "expected: a rule of filled, known | found: no_such"),
        ({**FILLED, "with": {}}, "expected: values for column | found: nothing"),
        (
            {**FILLED, "with": {"column": "area", "columns": "area"}},
            "expected: values for column | found: column, columns",
        ),
        ({**OWN, "with": {"column": "area"}}, "expected: a rule | found: values without"),
        ({**OWN, "query": "no_such"}, "expected: a query of nothing | found: no_such"),
        ({**OWN, "fix": "no_such"}, "expected: a fix of look | found: no_such"),
        ({**OWN, "kind": "strict"}, "found: strict"),
        ({**OWN, "severity": "warning"}, "found: severity"),
        ({**OWN, "type": "expect_column_to_exist"}, "expected: a query or a type | found: both"),
        ({**OWN, "query": "first"}, "found: unused: second"),
        (
            {key: value for key, value in OWN.items() if key != "ground"},
            "expected: description, fix, ground, kind | found: no ground",
        ),
    ],
)
def test_a_mistake_is_one_error_that_names_the_expectation(
    tmp_path: Path, written: dict[str, Any], words: str
) -> None:
    sql = "-- name: first\nselect 1\n-- name: second\nselect 2\n" if "second" in words else ""
    with pytest.raises(BadInput) as raised:
        read(tmp_path, written, sql=sql)
    assert "made_up__things" in str(raised.value)
    assert words in str(raised.value)


def test_a_rule_uses_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "filled", {**RULES["filled"], "parameters": ["column", "area"]})
    with pytest.raises(BadInput, match=re.escape("_rules.json: filled | expected: ")):
        read(tmp_path, KNOWN)


def test_every_rule_and_fix_is_used(tmp_path: Path) -> None:
    read(tmp_path, FILLED)
    with pytest.raises(BadInput, match=r"_rules\.json \|.* unused: known"):
        raise_if_unused(tmp_path)
    read(tmp_path, FILLED, KNOWN)
    raise_if_unused(tmp_path)
    (tmp_path / "_fixes.json").write_text(json.dumps({**FIXES, "wait": "wait for it"}))
    with pytest.raises(BadInput, match=r"_fixes\.json \|.* unused: wait"):
        raise_if_unused(tmp_path)
