import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.gates.policy_page import (
    DATA_TESTS,
    KINDS,
    PAGE,
    data_tests,
    gate_policy,
    rules,
)
from dagster_project.gates.suite_files import (
    EXPECTATIONS,
    SEVERITIES,
    raise_if_unused,
    read_suite,
    suite_path,
    tables_with_suites,
)
from dagster_project.gates.suites import MARK, load_suite
from dagster_project.sources.code_lists import code_lists
from dagster_project.workbench.gate_results import LIST, STRUCTURE
from tests.gates.suite_cases import LAYERS

TABLES = tables_with_suites(LAYERS)


def test_every_file_below_expectations_is_a_suite_or_belongs_to_one() -> None:
    suites = {suite_path(table) for table in TABLES}
    queries = {path.with_suffix(".json") for path in EXPECTATIONS.rglob("*.sql")}
    shared = {EXPECTATIONS / "_rules.json", EXPECTATIONS / "_fixes.json"}
    assert set(EXPECTATIONS.rglob("*.json")) == suites | shared
    assert queries <= suites | shared
    raise_if_unused()


@pytest.mark.parametrize("table", TABLES)
def test_a_suite_says_what_it_expects_and_what_to_do(table: str) -> None:
    suite = read_suite(table)
    assert suite["name"] == table
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
            assert not has_too_little_ground(meta["ground"]), expectation["description"]
        if meta["kind"] == LIST:  # which the gate shows as codes, each with its number of rows
            query = expectation["kwargs"]["unexpected_rows_query"]
            assert all(name in query for name in ("column_name", " code", "rows_found"))


@pytest.mark.parametrize("table", TABLES)
def test_a_long_query_is_in_a_file_that_the_formatter_sees(table: str) -> None:
    for expectation in json.loads(suite_path(table).read_text("utf-8"))["expectations"]:
        assert len(expectation.get("query", "")) <= 200, expectation["description"]


def has_too_little_ground(ground: str) -> bool:
    """Whether a rule is based on made-up files or one excerpt alone."""
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
    assert len(every) == sum(
        len(json.loads(suite_path(table).read_text("utf-8"))["expectations"]) for table in TABLES
    )


# Another rule covers figures with a digit; full-width digits do not make a mark.
@pytest.mark.parametrize(
    "mark", ["..", "-", "(D)", "(*)", "[c]", "[r][e]", "n.a.", "x", ".....", ":"]
)
def test_a_mark_is_a_mark(mark: str) -> None:
    assert re.fullmatch(MARK, mark)


@pytest.mark.parametrize("text", ["#REF!", "NaN", "none", "1", "(5)", "--", "", "\uff11", "a b"])
def test_another_text_is_not_a_mark(text: str) -> None:
    assert not re.fullmatch(MARK, text)


@pytest.mark.parametrize("table", TABLES)
def test_every_list_of_codes_that_a_suite_asks_for_exists(table: str) -> None:
    suite = load_suite(table, code_lists())
    for expectation in suite["expectations"]:
        assert "$" not in expectation["kwargs"].get("unexpected_rows_query", "").replace("$'", "'")


def filled(root: Path, query: str, parameters: dict[str, list[Any]]) -> str:
    """A suite's query, as GX gets it."""
    path = suite_path("raw.things", root)
    path.parent.mkdir()
    rest = {"description": "none", "kind": "structure", "ground": "made up", "fix": "look at it"}
    path.write_text(json.dumps({"lineage": ["_row"], "expectations": [{"query": query, **rest}]}))
    (expectation,) = load_suite("raw.things", parameters, root)["expectations"]
    return expectation["kwargs"]["unexpected_rows_query"]


def test_codes_are_quoted_in_sql(tmp_path: Path) -> None:
    query = filled(
        tmp_path, "select 1 from $batch where code not in $codes", {"codes": ["A", "O'B"]}
    )
    assert query == "select 1 from {batch} where code not in ('A', 'O''B')"
    assert tables_with_suites(["raw", "core"], tmp_path) == ["raw.things"]


def test_braces_are_doubled_since_gx_formats_the_query(tmp_path: Path) -> None:
    query = filled(tmp_path, "select '{1}', $codes from $batch", {"codes": ["{A}"]})
    assert query.format(batch="things") == "select '{1}', ('{A}') from things"


def test_rows_are_a_relation_in_sql_and_an_empty_list_holds_no_code(tmp_path: Path) -> None:
    rows = [("A", date.min), ("O'B", date(2022, 1, 28))]
    query = "select 1 from $rows as listed (code, day) where code not in $none"
    assert filled(tmp_path, query, {"rows": rows, "none": []}) == (
        "select 1 from (values ('A', date '0001-01-01'), ('O''B', date '2022-01-28'))"
        " as listed (code, day) where code not in ('')"
    )
