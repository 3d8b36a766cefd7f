import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from string import Template

import pytest

from dagster_project.gates.policy import DATA_TESTS, KINDS, PAGE, data_tests, gate_policy, rules
from dagster_project.gates.suites import (
    EXPECTATIONS,
    LIST,
    MARK,
    SEVERITIES,
    STRUCTURE,
    UNMAPPED,
    load_suite,
    suite_path,
    tables_with_suites,
)
from dagster_project.sources.code_lists import code_lists

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
        meta = expectation["meta"]
        assert meta["fix"]
        assert expectation["severity"] == SEVERITIES[meta["kind"]], expectation["description"]
        assert meta["ground"].strip()
        if meta["kind"] == STRUCTURE:
            assert not stands_on_too_little(meta["ground"]), expectation["description"]
        if meta["kind"] == LIST:  # which the gate shows as codes, each with its number of rows
            query = Template(expectation["kwargs"].get("unexpected_rows_query", ""))
            query_of_codes = query.safe_substitute(unmapped=UNMAPPED)
            assert all(name in query_of_codes for name in ("column_name", " code", "rows_found"))


def stands_on_too_little(ground: str) -> bool:
    """Whether a rule has no other ground than made-up files or one excerpt."""
    return ground.startswith(("made-up", "made up", "one excerpt", "an excerpt", "the excerpt"))


def test_every_type_of_data_test_has_its_kind() -> None:
    assert data_tests().keys() == DATA_TESTS.keys()


def test_the_page_has_the_rules_as_they_are() -> None:
    page = PAGE.read_text("utf-8")
    assert gate_policy(page) == page


def test_the_page_counts_every_rule_once() -> None:
    every = rules()
    page = PAGE.read_text("utf-8")
    kinds = Counter(rule.kind for rule in every)
    counts = " | ".join(str(kinds[kind]) for kind in KINDS)
    assert f"| all expectations | {counts} | {len(every)} |" in page
    assert len(every) == sum(path.read_text("utf-8").count('"kind"') for path in SUITES)


# Figures with a digit are for the other rule; full-width digits are digits of no mark.
@pytest.mark.parametrize(
    "mark", ["..", "-", "(D)", "(*)", "[c]", "[r][e]", "n.a.", "x", ".....", ":"]
)
def test_a_mark_is_a_mark(mark: str) -> None:
    assert re.fullmatch(MARK.format(), mark)


@pytest.mark.parametrize("text", ["#REF!", "NaN", "none", "1", "(5)", "--", "", "\uff11", "a b"])
def test_another_text_is_no_mark(text: str) -> None:
    assert not re.fullmatch(MARK.format(), text)


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
