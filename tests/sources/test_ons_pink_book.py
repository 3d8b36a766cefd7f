from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.settings import Settings
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.ons_pink_book import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench.connection import open_workbench
from tests.gates.suite_cases import cases, cells, failed_by
from tests.layouts.layout_reader import refusal
from tests.sources.workbooks import changed_workbook
from tests.support import FIXTURES, REAL_FILES

RELEASE = Path("ons_pink_book") / "2020-10-30"
MADE_UP = (
    FIXTURES / "landing_made_up" / "ons_pink_book" / RELEASE.name / "made_up_pinkbookchapter3.xlsx"
)
REAL = REAL_FILES / RELEASE / "pinkbook2020chapter3.xls"
TABLE = "raw.ons_pink_book__intellectual_property"
STAGED = "staging.stg_ons_pink_book__intellectual_property"
SHEET = "3.6"


def load(folder: Path, file: Path) -> tuple[Path, LoadResult]:
    """Load a release into its own workbench."""
    settings = Settings(warehouse_dir=folder)
    with open_workbench(settings) as con:
        loaded = load_release(con, SOURCE, Release(SOURCE.name, date(2020, 10, 30), (file,)))
    return settings.workbench, loaded


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    return load(tmp_path_factory.mktemp("made_up"), MADE_UP)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    if not REAL.is_file():
        pytest.skip("the publisher's files are not part of the repository")
    return load(tmp_path_factory.mktemp("real"), REAL)


def cell(database: Path, cdid: str, year: str) -> tuple:
    """The one cell of a series and year, with its address."""
    with duckdb.connect(database, read_only=True) as con:
        (found,) = con.execute(
            "select section, item, value, _sheet, _row, _column"
            f" from {TABLE} where cdid = ' ' || $1 and period = $2",
            [cdid, year],
        ).fetchall()
    return found


def test_only_the_one_sheet_is_kept_and_the_rest_is_counted(
    made_up: tuple[Path, LoadResult],
) -> None:
    _, loaded = made_up
    assert loaded.rows == {"ons_pink_book__intellectual_property": 45}
    (file,) = loaded.files
    assert (file.rows_read, file.rows_kept) == (
        25,
        15,
    )  # 2 rows of another sheet, 8 without figures


def test_cells_are_kept_as_written_with_their_address(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    credit, software = " Exports (Credits)", "   Distribution of computer software"
    assert cell(database, "FJFN", "2012") == (credit, software, " -", SHEET, 9, "D")
    assert cell(database, "FJFN", "2013") == (credit, software, "5", SHEET, 9, "E")
    assert cell(database, "FJTC", "2014") == (" Balances", " Total", "18", SHEET, 28, "F")


@pytest.mark.parametrize(
    ("address", "value", "named", "expected"),
    [
        ("A1", "3.7", "A1", "'3.6'"),
        ("B1", " Charges for intellectual property", "B1", "'Intellectual property'"),
        ("F2", " $ million", "A2", "'£ million'"),
        ("D3", "Q1 2012", "D3", "'a year'"),
        ("E3", 2011, "E3", "'2013'"),
        ("B5", " Credits", "B5", "'Exports (Credits)'"),
        ("B20", " Sum", "B22", "'Total'"),
        ("B22", " Net", "B22", "'Balances'"),
        ("B30", " All figures are final", "B29", "'a note with the word provisional'"),
    ],
)
def test_a_renamed_label_is_named_with_sheet_and_cell(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    address: str,
    value: object,
    named: str,
    expected: str,
) -> None:
    path = changed_workbook(MADE_UP, tmp_path, {(SHEET, address): value})
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "a label that was moved or renamed"
    assert problem.where == f"{path.name}, sheet '{SHEET}', cell {named}"
    assert problem.expected == expected


def test_a_type_of_right_never_seen_before_is_kept_with_a_warning(tmp_path: Path) -> None:
    changed: dict[tuple[str, str], object] = {
        (SHEET, f"{column}11"): value
        for column, value in zip("BCDEF", ("   Data", " ZZZZ", 1, 2, 3), strict=True)
    }
    database, loaded = load(tmp_path, changed_workbook(MADE_UP, tmp_path, changed))
    assert loaded.rows == {"ons_pink_book__intellectual_property": 16 * 3}
    (detail,) = failed_by(database, TABLE, f"select * from {TABLE}").values()
    assert (detail["kind"], detail["observed"]) == ("list", "1 code, with rows: cdid 'ZZZZ' (3)")


def test_a_known_series_at_another_label_is_refused(tmp_path: Path) -> None:
    database, _ = load(tmp_path, changed_workbook(MADE_UP, tmp_path, {(SHEET, "B8"): "   Patents"}))
    (detail,) = failed_by(database, TABLE, f"select * from {TABLE}").values()
    assert (detail["kind"], detail["failing"]) == ("structure", 1)


def test_a_renamed_sheet_is_an_unknown_layout(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed_workbook(MADE_UP, tmp_path, {}, rename=(SHEET, "3.6a"))
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "unknown layout"
    assert "'3.6'" in problem.found


def test_the_gate_accepts_the_made_up_release(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}


def with_value(column: str, where: str, new: str) -> str:
    return (
        f"select * replace (case when {where} then '{new}' else {column} end as {column})"
        f" from {TABLE}"
    )


CASES = cases(
    TABLE,
    {
        "a series known": with_value("cdid", "cdid = ' EAI5'", " EAI7"),
        "the identifier": with_value("cdid", "cdid = ' EAI5'", " EAI6"),
        "a cell holds": with_value("value", "cdid = ' FJPM' and period = '2012'", " about 9"),
        "a mark is": with_value("value", "trim(value) = '-'", " .."),
        "a figure is a whole": [
            with_value("value", "cdid = ' FJPM' and period = '2012'", value)
            for value in (" -", "1.5")
        ],
        "one figure": f"select * from {TABLE} where cdid <> ' EAI5' or period <> '2013'",
        "no figure has a year": with_value("period", "period = '2014'", "2021"),
    },
)
CASES += cases(STAGED, {"the types of right": cells(STAGED, "item = 'Total'", value="value + 9")})
CASES += cases(
    STAGED,
    {"a type of right": cells(STAGED, "item like '%software' and period = '2014'", value="null")},
    also=("the types of right",),
)


@pytest.mark.parametrize(
    ("cdid", "year", "value"),
    [
        ("EAI5", "2019", "4174"),
        ("EAI7", "2019", "3530"),
        ("FJFN", "2019", "703"),
        ("FJFO", "2019", "8282"),
        ("FJPM", "2019", "16689"),
        ("FJRG", "2019", "12540"),
        ("FJTC", "2019", "4149"),
        ("FJPM", "1997", "2895"),
        ("EAI5", "1997", " -"),
    ],
)
def test_real_figures(real: tuple[Path, LoadResult], cdid: str, year: str, value: str) -> None:
    database, _ = real
    assert cell(database, cdid, year)[2] == value


def test_the_real_release_passes_the_gate(real: tuple[Path, LoadResult]) -> None:
    database, loaded = real
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(517, 15)]
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}
