import json
from datetime import date
from pathlib import Path

import pytest

from dagster_project.code_lists import code_lists
from dagster_project.gates.suites import EXPECTATIONS, load_suite, suite_path, tables_with_suites

SUITES = sorted(EXPECTATIONS.rglob("*.json"))


@pytest.mark.parametrize("path", SUITES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_suite_says_what_it_expects_and_what_to_do(path: Path) -> None:
    suite = json.loads(path.read_text("utf-8"))
    assert suite["name"] == f"{path.parent.name}.{path.stem}"
    assert suite["meta"]["lineage"]
    assert suite["expectations"]
    descriptions = [expectation["description"] for expectation in suite["expectations"]]
    assert len(set(descriptions)) == len(descriptions)
    for expectation in suite["expectations"]:
        assert expectation["severity"] in ("critical", "warning")
        assert expectation["meta"]["fix"]


@pytest.mark.parametrize("path", SUITES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_every_list_of_codes_that_a_suite_asks_for_is_there(path: Path) -> None:
    suite = load_suite(f"{path.parent.name}.{path.stem}", code_lists())
    for expectation in suite["expectations"]:
        assert "$" not in expectation["kwargs"].get("unexpected_rows_query", "").replace("$'", "'")


def test_codes_are_quoted_in_sql(tmp_path: Path) -> None:
    path = suite_path("raw.things", tmp_path)
    path.parent.mkdir()
    query = "select 1 from {batch} where code not in $codes"
    expectation = {"kwargs": {"unexpected_rows_query": query}}
    path.write_text(json.dumps({"name": "raw.things", "expectations": [expectation]}))
    suite = load_suite("raw.things", {"codes": ["A", "O'B"]}, tmp_path)
    assert suite["expectations"][0]["kwargs"]["unexpected_rows_query"].endswith("in ('A', 'O''B')")
    assert tables_with_suites(["raw", "core"], tmp_path) == ["raw.things"]


def test_rows_are_a_relation_in_sql_and_an_empty_list_holds_no_code(tmp_path: Path) -> None:
    path = suite_path("raw.things", tmp_path)
    path.parent.mkdir()
    query = "select 1 from $rows as listed (code, day) where code not in $none"
    expectation = {"kwargs": {"unexpected_rows_query": query}}
    path.write_text(json.dumps({"name": "raw.things", "expectations": [expectation]}))
    rows = [("A", date.min), ("O'B", date(2022, 1, 28))]
    suite = load_suite("raw.things", {"rows": rows, "none": []}, tmp_path)
    assert suite["expectations"][0]["kwargs"]["unexpected_rows_query"] == (
        "select 1 from (values ('A', date '0001-01-01'), ('O''B', date '2022-01-28'))"
        " as listed (code, day) where code not in ('')"
    )
