from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.settings import Settings
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.bea_intl_serv_trade import SOURCE, TYPES_OF_SERVICE
from dagster_project.sources.code_lists import seed
from dagster_project.sources.source import Release
from dagster_project.workbench.connection import open_workbench
from tests.gates.suite_cases import cases, cells, twice
from tests.layouts.layout_reader import changed, read, refusal
from tests.support import FIXTURES

FOLDER = FIXTURES / "landing_made_up" / "bea_intl_serv_trade" / "2026-07-07"
TOTAL, SOFTWARE = FOLDER / "made_up_total.json", FOLDER / "made_up_software.json"
TABLE = "raw.bea_intl_serv_trade__observations"
STAGED = "staging.stg_bea_intl_serv_trade__observations"
CONFORMED = "intermediate.int_bea_intl_serv_trade__observations"
JAPAN = "area_or_country = 'Japan' and trade_direction = 'Exports'"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    settings = Settings(warehouse_dir=tmp_path_factory.mktemp("bea"))
    release = Release(SOURCE.name, date(2026, 7, 7), (SOFTWARE, TOTAL))
    with open_workbench(settings) as con:
        return settings.workbench, load_release(con, SOURCE, release)


def test_records_are_kept_as_written(con: duckdb.DuckDBPyConnection) -> None:
    malta = read(con, TOTAL, SOURCE.layouts).rows.filter("area_or_country = 'Malta'")
    assert malta.select("trade_direction, affiliation, year, data_value, unit_mult, _row").order(
        "_row"
    ).fetchall() == [
        ("Exports", "AllAffiliations", "2020", "(D)", "6", 7),
        ("Imports", "AllAffiliations", "2020", "(*)", "6", 8),
        ("Balance", "AllAffiliations", "2020", "(D)", "6", 9),
    ]


def test_an_error_instead_of_data_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, TOTAL, b'"Data"', b'"Error"')
    assert refusal(con, path, SOURCE.layouts).found == "a document without 'Data'"


def test_fetched_codes_are_mapped() -> None:
    mapped = {row["source_code"] for row in seed("category_code_map") if "intl" in row["source"]}
    assert mapped == set(TYPES_OF_SERVICE)
    codes = [row["economy_code"] for row in seed("economy_code_map") if "intl" in row["source"]]
    assert len(codes) == len(set(codes)) == 90


def test_good_answers_pass_their_gate(loaded: tuple[Path, LoadResult]) -> None:
    assert loaded[1].rows == {SOURCE.tables[0].name: 15}
    (result,) = run_suites(
        loaded[0], [Batch("made up", TABLE, f"select * from {TABLE}")], Settings()
    )
    assert [detail for detail in result.details if not detail["success"]] == []


CASES = cases(
    TABLE,
    {
        "type_of_service and": [
            cells(TABLE, JAPAN, area_or_country="'Atlantis'"),
            cells(TABLE, JAPAN, type_of_service="'CipLicensesMoviesTv'"),
            cells(TABLE, JAPAN, affiliation="'UsParents'"),
        ],
        "trade_direction is exports": [
            cells(TABLE, JAPAN, trade_direction="'SupplementalIns'"),
            cells(TABLE, JAPAN, unit_mult="'9'"),
        ],
        "data_value": cells(TABLE, JAPAN, data_value="'1.000.000'"),
        "a mark is": cells(TABLE, JAPAN, data_value="'(L)'"),
        "a figure is": cells(TABLE, JAPAN, data_value="'10000000'"),
        "one figure": twice(TABLE, JAPAN),
        "year is": cells(TABLE, JAPAN, year="'2027'"),
    },
)
CASES += cases(
    STAGED,
    {
        "the stated balance": cells(
            STAGED, "area = 'Japan' and flow = 'receipts'", value="value + 9"
        ),
        "affiliated and": cells(STAGED, "affiliation = 'AFFILIATED'", value="value + 9"),
    },
)
CASES += cases(CONFORMED, {"a cell is a figure": cells(CONFORMED, "obs_status = 'Q'", value="0")})
