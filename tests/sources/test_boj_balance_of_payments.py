from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.settings import Settings
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.boj_balance_of_payments import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench.connection import open_workbench
from tests.gates.suite_cases import FIRST, cases, cells
from tests.layouts.layout_reader import changed, read, refusal
from tests.support import FIXTURES

FOLDER = FIXTURES / "landing_made_up" / "boj_balance_of_payments"
PAGE = FOLDER / "2026-03-11" / "made_up_page_1.json"
CSV = FOLDER / "2026-03-10" / "made_up_answer.csv"
TABLE = "raw.boj_balance_of_payments__observations"
STAGED = "staging.stg_boj_balance_of_payments__observations"
CONFORMED = "intermediate.int_boj_balance_of_payments__observations"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    settings = Settings(warehouse_dir=tmp_path_factory.mktemp("boj"))
    release = Release(SOURCE.name, date(2026, 3, 9), (PAGE,))
    with open_workbench(settings) as con:
        return settings.workbench, load_release(con, SOURCE, release)


def test_months_are_kept_as_written_with_their_place(con: duckdb.DuckDBPyConnection) -> None:
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
        (b"202601]", b"202601, 202602]", "another structure"),
        (b"BPBP6JYNSN906", b"BPBP6JYNSN907", "without records"),
        (b'"STATUS": 200,', b'"STATUS": 200', "not JSON (line 3"),
    ],
)
def test_an_answer_with_another_structure_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, old: bytes, new: bytes, found: str
) -> None:
    problem = refusal(con, changed(tmp_path, PAGE, old, new), SOURCE.layouts)
    assert problem.expected == "Bank of Japan API, JSON"
    assert found in problem.found


def test_a_good_answer_passes_its_gate(loaded: tuple[Path, LoadResult]) -> None:
    (result,) = run_suites(
        loaded[0], [Batch("made up", TABLE, f"select * from {TABLE}")], Settings()
    )
    assert [detail for detail in result.details if not detail["success"]] == []


CASES = cases(
    TABLE,
    {
        "unit is 100": [
            cells(TABLE, "true", unit="'million yen'"),
            cells(TABLE, "true", frequency="'QUARTERLY'"),
        ],
        "survey_date is": [
            cells(TABLE, "_row = 1", survey_date="'202513'"),
            cells(TABLE, "_row = 1", survey_date="'202510'"),  # twice
        ],
        "each month": f"select * from {TABLE} where survey_date <> '202510'",
        "value is": cells(TABLE, "true", value="'1,5'"),
        "a figure is below": cells(TABLE, "true", value="'123456'"),
        "last_update": cells(TABLE, "true", last_update="'20260401'"),
    },
)
AFTER_THE_RELEASE = cells(TABLE, "_row = 5", survey_date="'202604'", value="'5'")
CASES += cases(TABLE, {"survey_date is": AFTER_THE_RELEASE}, also=("each month",))
CASES += cases(STAGED, {"a month has": cells(STAGED, "obs_status = 'O'", value="1")})
CASES += cases(CONFORMED, {"a monthly balance": cells(CONFORMED, FIRST, value="2000001")})
