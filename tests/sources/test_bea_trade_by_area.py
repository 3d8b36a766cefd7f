from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest.load_release import LoadResult
from dagster_project.sources.bea_trade_by_area import SOURCE
from tests.gates.suite_cases import cases, cells, failed_by
from tests.layouts.layout_reader import refusal
from tests.sources.raw_suites import changed, load
from tests.sources.workbooks import changed_workbook
from tests.support import FIXTURES, REAL_FILES, Scenario

MADE_UP = FIXTURES / "landing_made_up" / "bea_trade_by_area" / "2021-09-21" / "made_up_us_bop.xlsx"
REAL = REAL_FILES / "bea_trade_by_area" / "2021-09-21" / "us_bop.xls"
TABLE = "raw.bea_trade_by_area__observations"
STAGED = "staging.stg_bea_trade_by_area__observations"
CONFORMED = "intermediate.int_bea_trade_by_area__observations"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    return load(SOURCE, tmp_path_factory.mktemp("made_up"), MADE_UP)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    if not REAL.is_file():
        pytest.skip("the publisher's files are not part of the repository")
    return load(SOURCE, tmp_path_factory.mktemp("real"), REAL)


def read_cells(database: Path, where: str) -> list[tuple]:
    """Area, year, value and address of cells, in the order of the sheets."""
    with duckdb.connect(database, read_only=True) as con:
        return con.execute(
            f"select area, year, value, _sheet, _column, _row from {TABLE} where {where}"
            " order by _sheet, length(_column), _column"
        ).fetchall()


# Accepted files


def test_a_country_on_both_sides_of_the_split_is_read_whole(
    made_up: tuple[Path, LoadResult],
) -> None:
    database, _ = made_up
    assert read_cells(database, "area = 'Venezuela'") == [
        ("Venezuela", "2019", "9", "Sheet0", "S", 10),
        ("Venezuela", "2020", "4", "Sheet1", "C", 10),
    ]


def test_the_line_is_that_of_the_exports_and_the_rest_is_counted(
    made_up: tuple[Path, LoadResult],
) -> None:
    database, loaded = made_up
    assert loaded.rows == {"bea_trade_by_area__observations": 44}
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(32, 2)]
    assert [value for *_, value, _, _, _ in read_cells(database, "area = 'All countries'")] == [
        "123",
        "134",
    ]  # the same label is among the imports too, with 5 in each cell


def test_marks_are_kept_as_written_and_labels_are_trimmed(
    made_up: tuple[Path, LoadResult],
) -> None:
    database, _ = made_up
    marks = {(area, year): value for area, year, value, *_ in read_cells(database, "true")}
    assert marks["Malta", "2020"] == "(D)"
    assert marks["Other Western Hemisphere, other", "2019"] == "0"
    assert marks["Other Western Hemisphere, other", "2020"] == "(*)"
    assert marks["Middle East, other", "2019"] == "n.a."


@pytest.mark.parametrize(
    ("sheet", "address", "value", "named"),
    [
        ("Sheet0", "A1", "Table 1.4.", "A1"),
        ("Sheet1", "A1", "Table 1.4.", "A1"),
        ("Sheet1", "A2", "[Thousands of dollars]", "A1"),
        ("Sheet0", "A4", "Published September 21, 2021", "A1"),
        ("Sheet1", "A6", "Row", "A1"),
        ("Sheet1", "D6", "\u00a0", "D6"),
        ("Sheet1", "D7", "Q1", "D7"),
        ("Sheet0", "B8", "Exports", "B8"),
        ("Sheet0", "B10", "    Royalties and license fees", "B12"),
    ],
)
def test_a_renamed_label_is_named_with_sheet_and_cell(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    sheet: str,
    address: str,
    value: str,
    named: str,
) -> None:
    path = changed_workbook(MADE_UP, tmp_path, {(sheet, address): value})
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "a label that was moved or renamed"
    assert problem.where == f"{path.name}, sheet '{sheet}', cell {named}"


def test_the_line_may_be_in_another_row(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    other, ours = (
        "    Telecommunications",
        "    Charges for the use of intellectual property n.i.e.",
    )
    swapped: dict[tuple[str, str], object] = {
        ("Sheet0", "B10"): other,
        ("Sheet0", "B11"): ours,
        ("Sheet0", "G11"): "77",
    }
    path = changed_workbook(MADE_UP, tmp_path, swapped)
    found = SOURCE.layouts[0].read(con, path).rows
    assert found.filter("_sheet = 'Sheet0' and _column = 'G'").select("value, _row").fetchall() == [
        ("77", 11)
    ]


def test_a_renamed_sheet_is_an_unknown_layout(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed_workbook(MADE_UP, tmp_path, {}, rename=("Sheet0", "Table"))
    assert refusal(con, path, SOURCE.layouts).what == "unknown layout"


# The gate on raw


def test_the_gate_accepts_the_made_up_release(made_up: tuple[Path, LoadResult]) -> None:
    assert failed_by(made_up[0], TABLE, f"select * from {TABLE}") == {}


JAPAN = "area = 'Japan' and year = '2020'"
CASES = cases(
    TABLE,
    {
        "area is in the seed": changed(TABLE, "area", "area = 'Japan'", "'Atlantis'"),
        "the title gives": changed(TABLE, "stated_release", JAPAN, "'Release Date: June 2021'"),
        "a cell holds": changed(TABLE, "value", JAPAN, "'28 500'"),
        "a mark is": changed(TABLE, "value", "value = '(D)'", "'(L)'"),
        "a figure is a whole": [changed(TABLE, "value", JAPAN, v) for v in ("'28.5'", "null")],
        "one figure": f"select * from {TABLE} union all select * from {TABLE} where {JAPAN}",
        "every area has": f"select * from {TABLE} where not (area = 'Venezuela' and year = '2020')",
        "all countries, the": changed(
            TABLE, "value", "area = 'All countries' and year = '2020'", "'(D)'"
        ),
        "no figure has a year": changed(TABLE, "year", "year = '2020'", "'2022'"),
    },
)
CASES += cases(
    TABLE, {"area is filled": changed(TABLE, "area", JAPAN, "null")}, also=("every area has",)
)
CASES += cases(
    STAGED,
    {
        "all countries are": cells(STAGED, "area = 'Canada'", value="value + 9"),
        "the countries of an area": cells(STAGED, "area = 'Japan'", value="value + 9"),
        "at most one cell": cells(STAGED, "area > 'L'", conf_status="'C'"),
    },
)
CASES += cases(
    CONFORMED,
    {
        "the listed members": cells(CONFORMED, "partner_code = 'FRA'", value="value + 9"),
        "a cell is a figure": cells(CONFORMED, "partner_code = 'MLT'", value="0"),
    },
)


# The models


def test_areas_and_countries_are_apart(template: Scenario) -> None:
    assert template.warehouse.published(
        "select kind, string_agg(distinct partner_code, ' ' order by partner_code)"
        " from core.fct_royalty_observations join core.dim_partner using (partner_code)"
        " where source = 'bea_trade_by_area' group by kind order by kind"
    ) == [
        ("aggregate", "BEA_AFR BEA_APA BEA_EUR BEA_LAW BEA_MEA BEA_OWH BEA_SCA EU27 EU28 WLD"),
        ("country", "BMU CAN FRA JPN MLT VEN"),
        (
            "unallocated",
            "BEA_AFR_OTH BEA_APA_OTH BEA_EUR_OTH BEA_INT BEA_MEA_OTH BEA_OWH_OTH BEA_SCA_OTH",
        ),
    ]


def test_a_suppressed_figure_is_a_row_without_a_value(template: Scenario) -> None:
    assert template.warehouse.published(
        "select period, value, obs_status, conf_status, sheet_name, row_number, column_name"
        " from core.fct_royalty_observations"
        " where source = 'bea_trade_by_area' and partner_code = 'MLT' order by period"
    ) == [
        ("2019", None, "Q", "C", "Sheet0", 10, "K"),
        ("2020", None, "Q", "C", "Sheet0", 10, "L"),
    ]


# The publisher's own file


def test_the_real_file_has_90_areas_of_5_years(real: tuple[Path, LoadResult]) -> None:
    database, loaded = real
    assert loaded.rows == {"bea_trade_by_area__observations": 450}
    assert len({area for area, *_ in read_cells(database, "true")}) == 90
    assert len(read_cells(database, "value = '(D)'")) == 11


@pytest.mark.parametrize(
    ("area", "value", "sheet"),
    [
        ("All countries", "113779", "Sheet0"),
        ("Japan", "5925", "Sheet1"),
        ("United Kingdom", "5213", "Sheet0"),
        ("Venezuela", "39", "Sheet1"),
        ("Malta", "(D)", "Sheet0"),
    ],
)
def test_real_figures_of_2020(
    real: tuple[Path, LoadResult], area: str, value: str, sheet: str
) -> None:
    ((*_, found, found_sheet, _, _),) = read_cells(real[0], f"area = '{area}' and year = '2020'")
    assert (found, found_sheet) == (value, sheet)


def test_the_real_release_passes_the_gate(real: tuple[Path, LoadResult]) -> None:
    assert failed_by(real[0], TABLE, f"select * from {TABLE}") == {}
