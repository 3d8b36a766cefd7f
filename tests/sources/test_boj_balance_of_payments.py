from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.gates.validate import Batch, run_suites
from dagster_project.ingest.load import Loaded, load_release
from dagster_project.settings import Settings
from dagster_project.sources.boj_balance_of_payments import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench import open_workbench
from tests.gates.judging import expectations_of, failed_by
from tests.layouts.reading import changed, read, refusal
from tests.support import FIXTURES

FOLDER = FIXTURES / "boj_balance_of_payments_made_up"
PAGE = FOLDER / "2026-03-09" / "made_up_page_1.json"
CSV = FOLDER / "2026-03-10" / "made_up_answer.csv"
TABLE = "raw.boj_balance_of_payments__observations"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Loaded]:
    settings = Settings(warehouse_dir=tmp_path_factory.mktemp("boj"))
    release = Release(SOURCE.name, date(2026, 3, 9), (PAGE,))
    with open_workbench(settings) as con:
        return settings.workbench, load_release(con, SOURCE, release)


def test_months_come_as_written_with_their_place(con: duckdb.DuckDBPyConnection) -> None:
    months = read(con, PAGE, SOURCE.layouts).rows.select('survey_date, "value", _row, last_update')
    assert months.fetchall() == [
        ("202509", "-101", 1, "20260309"),
        ("202510", "0", 2, "20260309"),
        ("202511", "2345", 3, "20260309"),
        ("202512", None, 4, "20260309"),
        ("202601", "1000.50", 5, "20260309"),
    ]


def test_the_csv_answer_gives_the_same_without_other_series(con: duckdb.DuckDBPyConnection) -> None:
    extract = read(con, CSV, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (3, 2)
    assert extract.rows.select('survey_date, "value", _row').fetchall() == [
        ("202510", "0", 13),
        ("202511", "null", 14),
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b'"RESULTSET"', b'"RESULTS"', "without 'RESULTSET'"),
        (b"202601]", b"202601, 202602]", "built otherwise"),
        (b"BPBP6JYNSN906", b"BPBP6JYNSN907", "without records"),
        (b'"STATUS": 200,', b'"STATUS": 200', "not JSON (line 3"),
    ],
)
def test_an_answer_that_is_built_otherwise_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, old: bytes, new: bytes, found: str
) -> None:
    problem = refusal(con, changed(tmp_path, PAGE, old, new), SOURCE.layouts)
    assert problem.expected == "Bank of Japan API, JSON"
    assert found in problem.found


def test_a_good_answer_passes_its_gate(loaded: tuple[Path, Loaded]) -> None:
    (result,) = run_suites(loaded[0], [Batch("made up", TABLE, f"select * from {TABLE}")])
    assert [detail for detail in result.details if not detail["success"]] == []


@pytest.mark.parametrize(
    ("change", "expectation"),
    [
        ("* replace ('million yen' as unit)", "unit is 100"),
        ("* replace ('QUARTERLY' as frequency)", "unit is 100"),
        ("* replace (case _row when 1 then '202513' else survey_date end as survey_date)", "surv"),
        ("* replace (case _row when 1 then '202510' else survey_date end as survey_date)", "surv"),
        ("* replace (case _row when 3 then '202604' else survey_date end as survey_date)", "surv"),
        ("* replace ('1,5' as value)", "value is"),
        ("* replace ('123456' as value)", "value is"),
        ("* replace ('20260401' as last_update)", "last_update"),
    ],
)
def test_each_expectation_fails_on_a_bad_row(
    loaded: tuple[Path, Loaded], change: str, expectation: str
) -> None:
    (failed,) = failed_by(loaded[0], TABLE, f"select {change} from {TABLE}")
    assert failed.startswith(expectation)
    assert (TABLE, failed) in set(expectations_of(["raw"]))


def test_a_lost_month_is_seen(loaded: tuple[Path, Loaded]) -> None:
    (failed,) = failed_by(loaded[0], TABLE, f"select * from {TABLE} where survey_date <> '202510'")
    assert failed.startswith("survey_date")
