import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.base.settings import Settings
from dagster_project.gates.explain import explain
from dagster_project.gates.run_suites import Batch, _context, _datasource, run_suites
from dagster_project.workbench.checksums import checksum_query
from dagster_project.workbench.gate_results import GateResult
from tests.support import ODD_NAMES

TABLE = "raw.made_up__things"
ROW_COUNT = "expect_table_row_count_to_be_between"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with one small table."""
    path = tmp_path / "made_up.duckdb"
    with duckdb.connect(path) as con:
        con.execute("create schema raw")
        con.execute(
            f"create table {TABLE} as select * from (values"
            " ('a.csv', 2, 'DEU', '1'), ('a.csv', 3, null, '2'), ('b.csv', 2, 'D''E', '{3}'))"
            " as rows (_file, _row, code, value)"
        )
    return path


def judge(database: Path, *expectations: dict[str, Any], query: str = "") -> GateResult:
    """Write a suite of these expectations and run it."""
    root = database.parent / "expectations"
    (root / "raw").mkdir(parents=True, exist_ok=True)
    suite = {"lineage": ["_file", "_row"], "expectations": expectations}
    (root / "raw" / "made_up__things.json").write_text(json.dumps(suite))
    batch = Batch("raw", TABLE, query or f"select * from {TABLE}")
    (result,) = run_suites(database, [batch], Settings(), root)
    return result


def expectation(description: str, **more: Any) -> dict[str, Any]:
    """An expectation, of structure by default."""
    rest = {"kind": "structure", "ground": "a document", "fix": "look at the row"}
    return {"description": description, **rest, **more}


def filled(column: str, **more: Any) -> dict[str, Any]:
    is_filled = "expect_column_values_to_not_be_null"
    return expectation(f"{column} is filled", type=is_filled, kwargs={"column": column}, **more)


def in_set(column: str, codes: object) -> dict[str, Any]:
    arguments = {"column": column, "value_set": codes}
    return expectation("a code", type="expect_column_values_to_be_in_set", kwargs=arguments)


def whole_table(type_: str, **arguments: object) -> dict[str, Any]:
    return expectation("a rule about the whole table", type=type_, kwargs=arguments)


def no_rows(where: str, **more: Any) -> dict[str, Any]:
    query = f"select _file, _row from $batch where {where}"
    return expectation("no such row", **{"query": query, **more})


@pytest.mark.parametrize("name", [*ODD_NAMES, "what?"])
def test_a_gate_runs_in_folders_of_any_name(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))  # as TMPDIR
    _context.cache_clear()  # it is made once for a process
    if "?" not in name:  # in which DuckDB cannot write
        database = database.rename(folder / database.name)
    try:
        assert judge(database, filled("value")).success
    finally:
        _context.cache_clear()


def test_a_table_that_meets_its_suite_passes(database: Path) -> None:
    result = judge(database, filled("value"), no_rows("_row > 3"))
    assert (result.success, result.expectations, result.failed) == (True, 2, 0)
    assert explain([result]) == ""


@pytest.mark.parametrize("failing", [filled("code"), no_rows("code is null")])
def test_a_failing_row_is_named(database: Path, failing: dict[str, Any]) -> None:
    result = judge(database, failing)
    assert not result.success
    (detail,) = result.details
    assert detail["failing"] == 1
    assert [(row["_file"], row["_row"]) for row in detail["failing_rows"]] == [("a.csv", 3)]


def test_a_suite_sees_only_its_batch(database: Path) -> None:
    only = f"select * from {TABLE} where _file = 'b.csv'"
    assert judge(database, filled("code"), query=only).success


@pytest.mark.parametrize(
    "passing", [filled("value"), no_rows("_row > 3"), whole_table(ROW_COUNT, min_value=1)]
)
def test_it_says_how_many_rows_were_checked(database: Path, passing: dict[str, Any]) -> None:
    assert [detail["rows_checked"] for detail in judge(database, passing).details] == [3]
    only = f"select * from {TABLE} where _file = 'b.csv'"
    assert [detail["rows_checked"] for detail in judge(database, passing, query=only).details] == [
        1
    ]


def test_a_batch_that_cannot_be_read_fails_its_expectations(database: Path) -> None:
    result = judge(database, filled("value"), no_rows("_row > 3"), query="from raw.no_such")
    assert [(detail["success"], detail["rows_checked"]) for detail in result.details] == [
        (False, None)
    ] * 2


def test_a_failed_warning_is_reported_and_does_not_fail_the_gate(database: Path) -> None:
    result = judge(database, filled("code", kind="list"), filled("value"))
    assert result.success
    assert result.failed == 1
    assert explain([result]) == ""


def test_a_warning_does_not_hide_a_failure(database: Path) -> None:
    result = judge(database, filled("code", kind="list"), no_rows("_row = 2"))
    assert not result.success
    assert result.failed == 2


@pytest.mark.parametrize("kind", ["structure", "plausibility"])
def test_a_rule_of_structure_or_plausibility_fails_the_gate(database: Path, kind: str) -> None:
    result = judge(database, filled("code", kind=kind))
    assert not result.success
    (detail,) = result.details
    assert (detail["kind"], detail["ground"]) == (kind, "a document")


UNKNOWN = (
    "select 'code' as column_name, code, count(*) as rows_found from $batch"
    " where code is not null group by code order by rows_found desc, code"
)


def test_a_list_never_fails_the_gate_and_shows_its_codes_with_their_rows(database: Path) -> None:
    query = f"from {TABLE} union all from {TABLE} where code = 'DEU'"
    result = judge(
        database, no_rows("", query=UNKNOWN, kind="list"), query=f"select * from ({query})"
    )
    assert (result.success, result.failed) == (True, 1)
    assert explain([result]) == ""
    assert "| found: 2 codes, with rows: code 'DEU' (2), code \"D'E\" (1) | what to do: look" in (
        explain([result], "warning")
    )


def test_more_codes_than_are_shown_are_counted(database: Path) -> None:
    many = "select 'a.csv' as _file, n as _row, 'X' || n as code from range(30) as numbers(n)"
    (detail,) = judge(database, no_rows("", query=UNKNOWN, kind="list"), query=many).details
    assert detail["observed"].startswith("30 codes, with rows: code 'X0' (1), ")
    assert detail["observed"].endswith(", …")


def test_a_list_that_cannot_be_evaluated_fails_the_gate(database: Path) -> None:
    assert not judge(database, no_rows("no_such_column = 1", kind="list")).success


def test_a_rule_of_structure_is_critical(database: Path) -> None:
    assert judge(database, filled("code")).details[0]["severity"] == "critical"


@pytest.mark.parametrize(
    "failing",
    [filled("no_such_column"), no_rows("no_such_column = 1"), no_rows("error('made up') = 1")],
)
def test_an_expectation_that_cannot_be_evaluated_counts_as_failed_and_says_why(
    database: Path, failing: dict[str, Any]
) -> None:
    result = judge(database, filled("value"), failing)
    assert not result.success
    (detail,) = [detail for detail in result.details if not detail["success"]]
    assert "no_such_column" in detail["observed"] or "made up" in detail["observed"]


def test_a_suite_may_ask_for_a_list_of_codes(database: Path) -> None:
    by_set = in_set("code", {"$PARAMETER": "economy_codes"})
    result = judge(database, by_set, no_rows("code not in $economy_codes"))
    assert [detail["failing"] for detail in result.details] == [1, 1]


def test_braces_in_a_query_are_braces(database: Path) -> None:
    result = judge(database, no_rows("regexp_full_match(value, '[{][0-9]{1}[}]')"))
    assert [row["_file"] for row in result.details[0]["failing_rows"]] == ["b.csv"]


@pytest.mark.parametrize(
    ("failing", "rows"),
    [
        (filled("code"), 1),
        (in_set("code", ["D'E"]), 1),
        (no_rows("value <> '{3}'"), 2),
        (whole_table("expect_table_row_count_to_equal", value=7), None),
    ],
)
def test_a_rule_that_fails_gives_the_query_of_all_its_rows(
    database: Path, failing: dict[str, Any], rows: int | None
) -> None:
    (detail,) = judge(database, failing).details
    query = detail["failing_query"]
    if rows is None:
        assert query == ""
        return
    with duckdb.connect(database, read_only=True) as con:
        found = con.execute(f"select * from ({query}) as failing")
        assert [name for name, *_ in found.description or ()][:2] == ["_file", "_row"]
        assert len(found.fetchall()) == rows


def test_the_gate_leaves_the_file_free_for_the_next_writer(database: Path) -> None:
    judge(database, filled("code"))
    with duckdb.connect(database) as con:
        con.execute(f"delete from {TABLE}")


def test_a_table_without_a_suite_is_an_error(database: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_suites(database, [Batch("raw", "raw.no_such", "select 1")], Settings(), database.parent)


@pytest.mark.parametrize(
    "query",
    [
        "select content as _file, 1 as _row from read_text('$secret'), $batch",
        "set enable_external_access = true",
        "copy (select * from $batch) to '$secret.csv'",
    ],
)
def test_a_suite_cannot_reach_other_files(database: Path, query: str) -> None:
    secret = database.parent / "secret.txt"
    secret.write_text("the secret")
    query = query.replace("$secret", str(secret))
    (detail,) = judge(database, no_rows("", query=query)).details
    assert not detail["success"]
    assert detail["failing_rows"] == []
    assert not secret.with_suffix(".txt.csv").exists()
    if "read_text" in query:
        assert "disabled by configuration" in detail["observed"]


# One scan for the row rules, one query for each other rule


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that Great Expectations has DuckDB execute."""
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

    executed: list[str] = []
    execute = SqlAlchemyExecutionEngine.execute_query

    def noted(self: Any, query: Any) -> Any:
        executed.append(str(query))
        return execute(self, query)

    monkeypatch.setattr(SqlAlchemyExecutionEngine, "execute_query", noted)
    return executed


def test_row_rules_that_find_nothing_cost_one_scan(database: Path, statements: list[str]) -> None:
    result = judge(
        database, no_rows("code = 'X'"), no_rows("_row > 9 order by _row"), no_rows("value = 'x'")
    )
    assert result.success
    assert [statement.count("count(*) filter") for statement in statements] == [0, 3]
    assert statements[0].startswith("select count(*) from (")  # for the rows that were checked


# Several rules on the same rows


def test_a_row_rule_that_finds_rows_names_them_and_the_others_still_pass(database: Path) -> None:
    result = judge(database, no_rows("code = 'X'"), no_rows("_file = 'a.csv' order by _row"))
    clean, found = result.details
    assert (clean["success"], clean["failing"]) == (True, 0)
    assert (found["success"], found["failing"]) == (False, 2)
    assert [row["_row"] for row in found["failing_rows"]] == [2, 3]


def test_rules_about_several_rows_are_evaluated_separately(database: Path) -> None:
    several = "true group by _file, _row, code having count(*) > 0"
    result = judge(database, no_rows("code = 'X'"), no_rows(several), no_rows("_row > 9"))
    assert [detail["failing"] for detail in result.details] == [0, 3, 0]


def test_a_rule_that_cannot_be_evaluated_leaves_the_others_running(database: Path) -> None:
    result = judge(database, no_rows("no_such_column = 1"), no_rows("code = 'X'"))
    wrong, clean = result.details
    assert "no_such_column" in wrong["observed"]
    assert not wrong["success"]
    assert clean["success"]


def test_all_failing_rows_are_counted_and_the_first_are_fetched(database: Path) -> None:
    result = judge(
        database,
        no_rows("_row > 0"),
        query=f"select _file, n as _row from {TABLE}, range(1, 101) as numbers(n)",
    )
    (detail,) = result.details
    assert (detail["failing"], len(detail["failing_rows"])) == (300, 20)


def test_a_result_has_the_checksum_of_the_rows_that_the_suite_saw(database: Path) -> None:
    judge(database, filled("value"))
    batches = [
        Batch("raw", TABLE, f"select * from {TABLE}{where}", with_checksum=True)
        for where in ("", "", " where _row = 2")
    ]
    first, second, other = run_suites(
        database, batches, Settings(), database.parent / "expectations"
    )
    with duckdb.connect(database, read_only=True) as con:
        seen = con.execute(checksum_query(TABLE)).fetchall()
    assert [(first.row_count, first.checksum)] == seen == [(second.row_count, second.checksum)]
    assert other.row_count == 2
    assert other.checksum != first.checksum


def test_a_macro_in_the_file_does_not_decide_its_checksum(database: Path) -> None:
    judge(database, filled("value"))
    batch = Batch("raw", TABLE, f"select * from {TABLE}", with_checksum=True)
    run = partial(run_suites, database, [batch], Settings(), database.parent / "expectations")
    (before,) = run()
    with duckdb.connect(database) as con:
        con.execute("create macro sum(x) as 7; create macro hash(x) as 7")
    (after,) = run()
    assert after.checksum == before.checksum


def test_a_result_has_the_digest_of_its_suite(database: Path) -> None:
    mostly = filled("value")
    mostly["kwargs"]["mostly"] = 0.9
    results = [
        judge(database, filled("value")),
        judge(database, filled("value")),
        judge(database, mostly),
        judge(database, no_rows("_row > 3")),
        judge(database, no_rows("_row > 4")),
    ]
    digests = [result.suite_sha256 for result in results]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_a_database_is_opened_whatever_its_path(tmp_path: Path) -> None:
    """Great Expectations replaces `$x` by a variable, and SQLAlchemy `%20` by a space."""
    folder = tmp_path / "a 50% %20 'q\"$x ${y} # ;* é国 [b]{c}"
    folder.mkdir()
    database = folder / "some.duckdb"
    with duckdb.connect(database) as con:
        con.execute("create table t as select 1 as n")
    with _datasource(database, Settings()) as datasource:
        asset = datasource.add_query_asset(name="t", query="select n from t")
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        assert batch.columns() == ["n"]
    assert [path.name for path in folder.iterdir()] == ["some.duckdb"]
