from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.settings import Settings
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.ons_trade_by_industry import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench.connection import open_workbench
from tests.gates.suite_cases import cases, cells, failed_by
from tests.layouts.layout_reader import refusal
from tests.sources.workbooks import changed_workbook, staged
from tests.support import FIXTURES, REAL_FILES

MADE_UP = FIXTURES / "landing_made_up" / "ons_trade_by_industry" / "2021-07-12"
EXPORTS = MADE_UP / "made_up_tisindustryexports.xlsx"
IMPORTS = MADE_UP / "made_up_tisindustryimports.xlsx"
REAL = REAL_FILES / "ons_trade_by_industry" / "2021-07-12"
TABLE = "raw.ons_trade_by_industry__observations"
CONFORMED = "intermediate.int_ons_trade_by_industry__observations"
STAGED = "staging.stg_ons_trade_by_industry__observations"


def load(folder: Path, *files: Path) -> tuple[Path, LoadResult]:
    """Load a release into its own workbench."""
    settings = Settings(warehouse_dir=folder)
    with open_workbench(settings) as con:
        loaded = load_release(con, SOURCE, Release(SOURCE.name, date(2021, 7, 12), files))
    return settings.workbench, loaded


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    return load(tmp_path_factory.mktemp("made_up"), EXPORTS, IMPORTS)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    if not REAL.is_dir():
        pytest.skip("the publisher's files are not part of the repository")
    return load(tmp_path_factory.mktemp("real"), *sorted(REAL.iterdir()))


def cell(database: Path, country: str, industry: str, direction: str, year: str) -> tuple:
    """The one cell of an area and industry, with its address."""
    with duckdb.connect(database, read_only=True) as con:
        (found,) = con.execute(
            f"select value, _sheet, _row, _column from {TABLE} where country = $1"
            " and starts_with(industry, $2 || ' ') and direction = $3 and period = $4",
            [country, industry, direction, year],
        ).fetchall()
    return found


def test_only_the_service_account_is_kept_and_the_rest_is_counted(
    made_up: tuple[Path, LoadResult],
) -> None:
    _, loaded = made_up
    assert loaded.rows == {"ons_trade_by_industry__observations": 24}
    # Exports: 2 rows of the contents, the header, 9 rows; imports: one row less.
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(12, 6), (11, 6)]


def test_cells_are_kept_as_written_with_their_address(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    assert cell(database, "W1 World total", "58", "EX", "2018") == ("1,234", "tis_ind_ex", 5, "E")
    assert cell(database, "W1 World total", "58", "EX", "2019") == ("..", "tis_ind_ex", 5, "F")
    assert cell(database, "D5 Non-EU", "62", "IM", "2018") == ("-5", "tis_ind_im", 7, "E")
    assert cell(database, "W1 World total", "58", "IM", "2019") == ("0", "tis_ind_im", 4, "F")


@pytest.mark.parametrize(
    ("sheet", "address", "value", "expected"),
    [
        ("tis_ind_ex", "B1", "Sector", "'Industry'"),
        ("tis_ind_ex", "A1", "Area", "'Country'"),
        ("tis_ind_ex", "F1", "2019 (provisional)", "'a year'"),
        ("tis_ind_ex", "F1", None, "'a year'"),
        ("tis_ind_ex", "D4", "8 Charges for intellectual property", "'8 Intellectual property'"),
        ("tis_ind_ex", "C4", "IM", "'EX'"),
        ("Contents", "B4", "All data is in £ thousand", "'All data is in £ million, "),
    ],
)
def test_a_renamed_label_is_named_with_sheet_and_cell(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    sheet: str,
    address: str,
    value: str | None,
    expected: str,
) -> None:
    path = changed_workbook(EXPORTS, tmp_path, {(sheet, address): value})
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "a label that was moved or renamed"
    assert problem.where.startswith(f"{path.name}, sheet '{sheet}', cell ")
    assert problem.expected.startswith(expected)
    if value and problem.found != "'no such label to the right'" and "below" not in problem.found:
        assert problem.where.endswith(f"cell {address}")
        assert problem.found == repr(value)


def test_an_account_renamed_in_every_row_is_named(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    cells: dict[tuple[str, str], object] = {
        ("tis_ind_ex", f"D{row}"): "8 Charges for intellectual property" for row in range(2, 10)
    }
    problem = refusal(con, changed_workbook(EXPORTS, tmp_path, cells), SOURCE.layouts)
    assert problem.where.endswith("sheet 'tis_ind_ex', cell D2")
    assert problem.expected == "'8 Intellectual property'"


def test_a_renamed_sheet_is_an_unknown_layout(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed_workbook(EXPORTS, tmp_path, {}, rename=("tis_ind_ex", "exports"))
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "unknown layout"
    assert "'tis_ind_ex'" in problem.found
    assert "'exports'" in problem.found


def test_the_gate_accepts_the_made_up_release(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}


def with_value(column: str, old: str, new: str) -> str:
    return (
        f"select * replace (case when {column} = '{old}' then '{new}' else {column} end"
        f" as {column}) from {TABLE}"
    )


CASES = cases(
    TABLE,
    {
        "the area's code": with_value("country", "D5 Non-EU", "D6 Non-EU"),
        "the label of an area": [
            with_value("country", "B5 Total EU28", "B5 Total EU27"),
            with_value("country", "W1 World total", "W1 Rest of World"),
        ],
        "the industry's code": with_value(
            "industry", "58 Publishing activities", "U Unknown industry"
        ),
        "the release has both": f"select * from {TABLE} where direction = 'EX'",
        "a cell holds": with_value("value", "1,234", "1 234"),
        "a mark is": with_value("value", "..", "[w]"),
        "a figure is a whole": with_value("value", "1,234", "1234.5"),
        "one figure": f"select * from {TABLE} union all select * from {TABLE}",
        "at least a third": (
            "select * replace (case when direction = 'EX' and country <> 'W1 World total' then '..'"
            f" else value end as value) from {TABLE}"
        ),
        "no figure has a year": with_value("period", "2019", "2022"),
    },
)
CASES += cases(
    STAGED,
    {"a figure lies": cells(STAGED, "area_code = 'D5' and value = -5", value="-1001")},
    also=("the world is",),
)
CASES += cases(
    STAGED,
    {
        "the world is": cells(
            STAGED, "area_code = 'W1' and industry_code = '62'", value="value + 9"
        ),
        "every industry": (
            f"select * from {STAGED} where area_code <> 'W1' or industry_code <> '58'"
        ),
    },
)
CASES += cases(CONFORMED, {"a cell is a figure": cells(CONFORMED, "conf_status = 'C'", value="0")})


@pytest.mark.parametrize(
    ("industry", "direction", "value"),
    [("59", "EX", "3,805"), ("62", "EX", "3,311"), ("58", "IM", "394"), ("62", "IM", "..")],
)
def test_real_figures_of_2019(
    real: tuple[Path, LoadResult], industry: str, direction: str, value: str
) -> None:
    database, _ = real
    assert cell(database, "W1 World total", industry, direction, "2019")[0] == value


def test_the_real_release_passes_the_gate(real: tuple[Path, LoadResult]) -> None:
    database, loaded = real
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(5247, 153), (5232, 186)]
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}


@pytest.mark.parametrize(
    ("eu", "rest", "world", "fails"),
    [
        # Rounding: 40.4 + 60.4 = 100.8 is stated as 40 + 60 = 101.
        (40, 60, 101, ""),
        (40, 60, 102, "the world is the EU plus the rest"),
        (None, 60, 200, ""),
        (None, 200000, None, "a figure lies between"),
    ],
)
def test_checks_of_an_economist(
    made_up: tuple[Path, LoadResult],
    eu: int | None,
    rest: int | None,
    world: int | None,
    fails: str,
) -> None:
    query = staged(
        "area_code, industry_code, flow, period, value, rounding",
        ("B5", "58", "receipts", "2019", eu, 1),
        ("D5", "58", "receipts", "2019", rest, 1),
        ("W1", "58", "receipts", "2019", world, 1),
    )
    failed = failed_by(made_up[0], STAGED, query)
    assert [about.startswith(fails) for about in failed] == [True] * bool(fails)


def test_an_industry_without_the_world_is_incomplete(made_up: tuple[Path, LoadResult]) -> None:
    query = staged(
        "area_code, industry_code, flow, period, value, rounding",
        ("B5", "58", "receipts", "2019", 1, 1),
    )
    assert failed_by(made_up[0], STAGED, query).keys() == {
        "every industry is stated for the world, even if suppressed"
    }
