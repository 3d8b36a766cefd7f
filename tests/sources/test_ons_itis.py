from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pytest

from dagster_project.base.settings import Settings
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.ons_itis import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench.connection import open_workbench
from tests.gates.suite_cases import FIRST, cases, cells, failed_by
from tests.layouts.layout_reader import refusal
from tests.sources.workbooks import changed_workbook
from tests.support import FIXTURES, REAL_FILES

RELEASE = Path("ons_itis") / "2021-07-12"
MADE_UP = (
    FIXTURES
    / "landing_made_up"
    / "ons_itis"
    / RELEASE.name
    / "made_up_internationaltradeinservices.xlsx"
)
REAL = REAL_FILES / RELEASE / "internationaltradeinservices2019.xlsx"
TABLE = "raw.ons_itis__intellectual_property"
STAGED = "staging.stg_ons_itis__intellectual_property"
CONFORMED = "intermediate.int_ons_itis__observations"
OLDER, NEWER = "Table C4 2011-2012", "Table C4 2013-2014"
USE, SALE = "Charges or payments for the use of ", "Outright sales and purchases "
TRADE_MARKS = "Trade marks, franchises, brands or design rights"


def load(folder: Path, file: Path) -> tuple[Path, LoadResult]:
    """Load a release into its own workbench."""
    settings = Settings(warehouse_dir=folder)
    with open_workbench(settings) as con:
        loaded = load_release(con, SOURCE, Release(SOURCE.name, date(2021, 7, 12), (file,)))
    return settings.workbench, loaded


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    return load(tmp_path_factory.mktemp("made_up"), MADE_UP)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    if not REAL.is_file():
        pytest.skip("the publisher's files are not part of the repository")
    return load(tmp_path_factory.mktemp("real"), REAL)


def cell(
    database: Path, code: str, group: str | None, item: str, flow: str, year: str
) -> tuple[str, str, int, str]:
    """The one cell of a table's row, flow and year, with its address."""
    with duckdb.connect(database, read_only=True) as con:
        (found,) = con.execute(
            f"select value, _sheet, _row, _column from {TABLE} where trim(table_code) = $1"
            " and right_group is not distinct from $2 and item = $3 and trim(flow) = $4"
            " and period = $5",
            [code, group, item, flow, year],
        ).fetchall()
    return found


def test_only_intellectual_property_is_kept_and_the_rest_is_counted(
    made_up: tuple[Path, LoadResult],
) -> None:
    _, loaded = made_up
    # 7 tables, each with 5 rows by 3 flows by 2 years, and with 7 rows.
    assert loaded.rows == {"ons_itis__intellectual_property": 7 * (5 + 7) * 3 * 2}
    (file,) = loaded.files
    assert file.rows_kept == 7 * (5 + 7)
    assert file.rows_read == 2 + 2 * 4 + 4 + 7 * (17 + 22)


def test_cells_are_kept_as_written_with_their_address(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    assert cell(database, "C4", TRADE_MARKS, SALE, "Exports", "2013") == ("43", NEWER, 10, "E")
    # The word balance is above the blank column as well.
    assert cell(database, "C4", TRADE_MARKS, USE, "Balance", "2014") == ("21", NEWER, 11, "L")
    assert cell(database, "C1", TRADE_MARKS, USE, "Exports", "2014")[:2] == (
        "332.25",
        " Table C1 2013-2014",
    )
    total = "Total Royalties and Licenses"
    assert cell(database, "C6", None, total, "Imports", "2012")[1:] == (
        " Table C6 2011-2012",
        13,
        "I",
    )


def test_marks_and_both_spellings_are_kept(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    with duckdb.connect(database, read_only=True) as con:
        marks = con.execute(
            f"select value, count(*) from {TABLE} where value in ('..', '-') group by 1 order by 1"
        ).fetchall()
        spellings = con.execute(
            "select right_group like '%prgrammes%', string_agg(distinct trim(table_code), ' '"
            f" order by trim(table_code)) from {TABLE} where right_group like 'Copyright%'"
            " group by 1 order by 1"
        ).fetchall()
    assert marks == [("-", 6), ("..", 17)]
    assert spellings == [(False, "C7"), (True, "C1 C2 C3 C4 C5 C6")]


@pytest.mark.parametrize(
    ("sheet", "address", "value", "named", "expected"),
    [
        (NEWER, "A1", "C5", "A1", "'C4'"),
        (NEWER, "C1", "Manufacturing", "C1", "'Information and Communication'"),
        (NEWER, "L2", "US$ million", "A2", "'£ million'"),
        (NEWER, "E3", "Sales", "D3", "'Exports'"),
        (NEWER, "H3", "Purchases", "F3", "'Imports'"),
        (NEWER, "F4", 2012, "E4", "'the years 2013 to 2014'"),
        (NEWER, "L4", None, "J4", "'the years 2013 to 2014'"),
        (NEWER, "A8", "Ideas", "A1", "'Royalties and Licenses or Intellectual Property'"),
        (f" {OLDER}", "C1", "Manufacturing", "C1", "'Information and Communication'"),
    ],
)
def test_a_renamed_label_is_named_with_sheet_and_cell(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    sheet: str,
    address: str,
    value: object,
    named: str,
    expected: str,
) -> None:
    path = changed_workbook(MADE_UP, tmp_path, {(sheet, address): value})
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "a label that was moved or renamed"
    assert problem.where == f"{path.name}, sheet {sheet!r}, cell {named}"
    assert problem.expected == expected


def test_labels_and_lines_never_seen_before_are_kept_with_a_warning(tmp_path: Path) -> None:
    older, figures = f" {OLDER}", ("E", "F", "H", "I", "K", "L")
    changed: dict[tuple[str, str], object] = {
        (NEWER, "B9"): "Trade names",
        (NEWER, "B18"): "Total of all rights",
        (NEWER, "C19"): "Data",
        (older, "C9"): "Use of franchises",
    }
    changed |= {(NEWER, f"{column}19"): 1 for column in figures}
    database, loaded = load(tmp_path, changed_workbook(MADE_UP, tmp_path, changed))
    assert loaded.rows == {"ons_itis__intellectual_property": (7 * (5 + 7) + 1) * 3 * 2}
    assert cell(database, "C4", "Trade names", SALE, "Exports", "2013") == ("43", NEWER, 10, "E")
    failed = failed_by(database, TABLE, f"select * from {TABLE}")
    assert [(detail["kind"], detail["failing"]) for detail in failed.values()] == [("list", 5)]
    (observed,) = (detail["observed"] for detail in failed.values())
    assert "item 'Use of franchises' (6)" in observed


def test_a_table_of_a_new_industry_is_kept_with_a_warning(tmp_path: Path) -> None:
    source = openpyxl.load_workbook(MADE_UP)
    for name in (f" {OLDER}", NEWER):
        sheet = source.copy_worksheet(source[name])
        sheet.title = name.strip().replace("C4", "C8")
        sheet["A1"], sheet["C1"] = "C8", "Education"
    path = tmp_path / "made_up_more.xlsx"
    source.save(path)
    database, loaded = load(tmp_path, path)
    assert loaded.rows == {"ons_itis__intellectual_property": 8 * (5 + 7) * 3 * 2}
    (detail,) = failed_by(database, TABLE, f"select * from {TABLE}").values()
    assert (detail["kind"], detail["observed"]) == (
        "list",
        "1 code, with rows: table_code 'C8' (72)",
    )


def test_blanks_around_a_sheet_name_are_ignored(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed_workbook(MADE_UP, tmp_path, {}, rename=(NEWER, f"{NEWER} "))
    (layout,) = SOURCE.layouts
    assert layout.read(con, path).rows_kept == 7 * (5 + 7)


def test_a_renamed_table_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed_workbook(MADE_UP, tmp_path, {}, rename=(NEWER, "Table E4 2013-2014"))
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "an unknown sheet with intellectual property"
    assert problem.where == f"{path.name}, sheet 'Table E4 2013-2014', cell A8"


def test_a_missing_table_is_reported(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    cells: dict[tuple[str, str], object] = {(NEWER, "A8"): None}
    path = changed_workbook(MADE_UP, tmp_path, cells, rename=(NEWER, "Table E4 2013-2014"))
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "a missing or repeated table"
    assert "C4 with Royalties and Licenses" in problem.found
    assert "C4 with Intellectual Property" not in problem.found


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
        "the table is one": with_value("item", "item like 'Outright%'", "Sales of rights"),
        "table, label and flow": with_value("flow", "flow = 'Balance'", "Net"),
        "a cell holds": with_value("value", "value = '-'", "none"),
        "a mark is": with_value("value", "value = '-'", "[w]"),
        "a figure is below": (
            f"select * replace (case when value <> '-' then value end as value) from {TABLE}"
        ),
        "each flow and year": f"select * from {TABLE} where item <> 'Total intellectual property'",
        "at least three fifths": with_value("value", "trim(table_code) < 'C4'", ".."),
        "no figure has a year": with_value("period", "period = '2014'", "2022"),
    },
)
CASES += cases(
    STAGED,
    {
        "within an industry": cells(
            STAGED, "table_code = 'C1' and item like 'Total %'", value="value + 99"
        ),
        "the industries with": cells(STAGED, "table_code = 'C1'", value="value / 100"),
    },
)
CASES += cases(CONFORMED, {"nothing of the survey": cells(CONFORMED, FIRST, concept="'BPM6_SH'")})


def test_real_figures_of_trade_marks(real: tuple[Path, LoadResult]) -> None:
    database, _ = real
    sheet = " Table C1 2013-2019"
    assert cell(database, "C1", TRADE_MARKS, USE, "Exports", "2019") == (
        "5714.5517471",
        sheet,
        38,
        "K",
    )
    assert cell(database, "C1", TRADE_MARKS, SALE, "Exports", "2019") == (
        "605.29399654",
        sheet,
        37,
        "K",
    )


@pytest.mark.parametrize(
    ("code", "item", "flow", "year", "value"),
    [
        ("C1", "Total intellectual property", "Exports", "2019", "21480"),
        ("C1", "Total Royalties and Licenses", "Exports", "2012", "9733"),
        ("C6", "Total intellectual property", "Exports", "2014", ".."),
        ("C7", "Purchases and sales of franchises and similar rights", "Imports", "2011", "-"),
    ],
)
def test_real_figures_of_both_classifications(
    real: tuple[Path, LoadResult], code: str, item: str, flow: str, year: str, value: str
) -> None:
    database, _ = real
    assert cell(database, code, None, item, flow, year)[0] == value


def test_the_real_release_passes_the_gate(real: tuple[Path, LoadResult]) -> None:
    database, loaded = real
    assert loaded.rows == {"ons_itis__intellectual_property": 1449}
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(1742, 84)]
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}
