"""Workbooks: cells are found by their labels, and harmful files are refused unread."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from openpyxl import Workbook as Written
from openpyxl import load_workbook

from dagster_project.base.errors import BadInput
from dagster_project.layouts import (
    Cell,
    RawTable,
    Workbook,
    WorkbookLayout,
    layout_of,
    xlsx_precheck,
)
from dagster_project.layouts.cell_address import column_letter
from dagster_project.sources import all_sources
from tests.security.hostile import CSV_SHEET
from tests.sources.workbooks import changed_workbook
from tests.support import FIXTURES, MADE_UP

TABLE = RawTable("made_up__cells", ("item",), by_cell=True)


def _parse(book: Workbook) -> Iterator[Cell]:
    sheet = book.sheet("Figures ")
    row = sheet.row_of("Royalties")
    column = sheet.column_of("2019", row=0)
    yield Cell(("Royalties",), sheet.name, row, column, sheet.cell(row, column))


LAYOUT = WorkbookLayout("made-up workbook", TABLE, ("Figures ",), _parse)


def _write(path: Path, cells: dict[str, object]) -> Path:
    written = Written()
    sheet = written.active
    assert sheet is not None
    sheet.title = "Figures "
    for address, value in cells.items():
        sheet[address] = value
    written.save(path)
    return path


def test_a_cell_keeps_its_address_and_its_text(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    path = _write(tmp_path / "a.xlsx", {"AB1": 2019, "A3": "Royalties", "AB3": "1,234"})
    extract = LAYOUT.read(con, path)
    rows = extract.rows.fetchall()
    assert rows == [("Royalties", "AB", "1,234", "Figures ", 3)]
    assert (extract.rows_read, extract.rows_kept) == (2, 1)


def test_a_renamed_label_is_named_with_sheet_and_cell(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    path = _write(tmp_path / "a.xlsx", {"B1": 2019, "A3": "Licences", "B3": 1})
    with pytest.raises(BadInput) as caught:
        LAYOUT.read(con, path)
    assert caught.value.where == "a.xlsx, sheet 'Figures ', cell A1"
    assert caught.value.expected == "'Royalties'"


def test_a_sheet_that_reaches_to_the_last_cell_is_refused_before_it_is_read(
    tmp_path: Path,
) -> None:
    path = _write(tmp_path / "a.xlsx", {"A1": 1, "XFD1048576": 1})
    with pytest.raises(BadInput, match="reaches to row 1,048,576"):
        layout_of(path, (LAYOUT,))


def test_an_archive_that_is_not_a_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<cut")
    with pytest.raises(BadInput, match="not a workbook"):
        layout_of(path, (LAYOUT,))


def test_a_missing_sheet_is_named(tmp_path: Path) -> None:
    written = Written()
    written.save(tmp_path / "a.xlsx")
    with pytest.raises(BadInput, match="no sheet 'Figures '"):
        layout_of(tmp_path / "a.xlsx", (LAYOUT,))


def test_a_sheet_with_a_hostile_name_is_read_like_any_other(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    name = "'); drop table x; -- \"$1"

    def parse(book: Workbook) -> Iterator[Cell]:
        sheet = book.sheet(name)
        yield Cell((sheet.cell(0, 0),), sheet.name, 0, 1, sheet.cell(0, 1))

    written = Written()
    sheet = written.active
    assert sheet is not None
    sheet.title = name
    sheet["A1"], sheet["B1"] = "'); drop table x; --", "$texts"
    written.save(tmp_path / "a.xlsx")
    rows = WorkbookLayout("hostile", TABLE, (name,), parse).read(con, tmp_path / "a.xlsx").rows
    assert rows.fetchall() == [("'); drop table x; --", "B", "$texts", name, 1)]


def _with(path: Path, old: str, new: str) -> Path:
    """Change the XML of the first sheet."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    content = members[sheet].decode()
    members[sheet] = re.sub(old, new, content).encode()
    assert members[sheet] != content.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return path


GOOD: dict[str, object] = {"AB1": 2019, "A3": "Royalties", "AB3": 7}
SEVEN = '<c r="AB3"[^>]*><v>7</v></c>'


def _refused(path: Path, con: duckdb.DuckDBPyConnection) -> BadInput:
    with pytest.raises(BadInput) as caught:
        layout_of(path, (LAYOUT,)).read(con, path)
    return caught.value


@pytest.mark.parametrize(
    "error", ["#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"]
)
def test_an_error_in_place_of_a_figure_is_refused_with_sheet_and_cell(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, error: str
) -> None:
    problem = _refused(_write(tmp_path / "a.xlsx", {**GOOD, "AB3": error}), con)
    assert problem.what == "a cell without its value"
    assert problem.where == "a.xlsx, sheet 'Figures ', cell AB3"
    assert problem.found == error


@pytest.mark.parametrize("cell", ["AB1", "A3"])
def test_an_error_in_place_of_a_label_is_refused_with_its_cell(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, cell: str
) -> None:
    problem = _refused(_write(tmp_path / "a.xlsx", {**GOOD, cell: "#REF!"}), con)
    assert (problem.where, problem.found) == (f"a.xlsx, sheet 'Figures ', cell {cell}", "#REF!")


def test_an_error_elsewhere_in_the_sheet_is_refused(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    # A row whose code is lost to an error would be taken for one of another subject.
    problem = _refused(_write(tmp_path / "a.xlsx", {**GOOD, "A9": "#N/A"}), con)
    assert problem.where == "a.xlsx, sheet 'Figures ', cell A9"


def test_an_error_in_a_sheet_that_is_not_read_is_ignored(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    # As in the ONS' workbook of 2021-07-12, in a sheet that shows the figures period by period.
    path = _write(tmp_path / "a.xlsx", GOOD)
    book = load_workbook(path)
    book.create_sheet("Report")["B2"] = "#REF!"
    book["Report"]["B3"] = "=1+1"
    book.save(path)
    assert LAYOUT.read(con, path).rows.select('"value"').fetchall() == [("7",)]


def test_an_error_in_a_cell_without_an_address_is_refused_with_its_cell(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    # As the World Bank's DataBank writes sheets.
    path = _with(
        _write(tmp_path / "a.xlsx", GOOD),
        "</sheetData>",
        '<row><c t="n"><v>1</v></c><c/><c t="e"><v>#DIV/0!</v></c></row></sheetData>',
    )
    assert _refused(path, con).where == "a.xlsx, sheet 'Figures ', cell C4"


def test_a_formula_that_was_never_calculated_is_refused_with_its_cell(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    problem = _refused(_write(tmp_path / "a.xlsx", {**GOOD, "AB3": "=1+1"}), con)
    assert problem.where == "a.xlsx, sheet 'Figures ', cell AB3"
    assert problem.found == "the formula '1+1' without its result"
    path = _with(tmp_path / "a.xlsx", "<v */>|<v></v>", "<v> </v>")
    assert _refused(path, con).found == "the formula '1+1' without its result"


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="AB3"><f>1+1</f><v>2</v></c>',
        '<c r="AB3" t="str"><f>A1</f><v></v></c>',  # an empty text is a result
    ],
)
def test_a_formula_with_its_result_is_read(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, cell: str
) -> None:
    path = _with(_write(tmp_path / "a.xlsx", GOOD), SEVEN, cell)
    expected = "2" if "<v>2</v>" in cell else None
    assert LAYOUT.read(con, path).rows.select('"value"').fetchall() == [(expected,)]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5.778246248147, "5.778246248147"),
        (0.434482853854, "0.434482853854"),
        (133.0696100381, "133.0696100381"),
        (123456789012.345, "123456789012.345"),
        (1.37833e11, "137833000000"),
        (0.00005, "0.00005"),
        (0.000138623139312983, "0.000138623139312983"),
        (-0.1, "-0.1"),
    ],
)
def test_a_number_is_read_with_the_fewest_digits_that_give_it(
    tmp_path: Path, number: float, text: str
) -> None:
    path = _write(tmp_path / "a.xlsx", {"A1": number})
    assert Workbook(path).sheet("Figures ").cell(0, 0) == text


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A1048576" s="1"/>',
        "<c r='XFD1048576' s='1'></c>",
        '<c r="A1048576"/><c r="B1048576"/>',
        "",
    ],
)
def test_empty_cells_in_the_last_row_are_read_past(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, cell: str
) -> None:
    # As LibreOffice writes a column that is formatted to its end.
    rows = f'<row r="1048575"/><row r="1048576" spans="1:2">{cell}</row></sheetData>'
    path = _with(_write(tmp_path / "a.xlsx", GOOD), "</sheetData>", rows)
    assert layout_of(path, (LAYOUT,)).read(con, path).rows_read == 2


def test_empty_cells_to_the_last_column_are_read_past(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a spreadsheet writes a row that is formatted to its end.
    monkeypatch.setattr(xlsx_precheck, "MAX_CELLS", 10_000)
    path = _with(_write(tmp_path / "a.xlsx", GOOD), "</row>", '<c r="XFD1" s="1" /></row>')
    assert layout_of(path, (LAYOUT,)).read(con, path).rows_read == 2
    path = _with(path, '<c r="XFD1" s="1" />', '<c r="XFD1"><v>1</v></c>')
    with pytest.raises(BadInput, match="column 16,384"):
        layout_of(path, (LAYOUT,))


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="XFD1048576"><v>1</v></c>',
        '<c a=">" r="XFD1048576"><v>1</v></c>',
        '<c r="XFC1048576"/><c><v>1</v></c>',
    ],
)
def test_a_value_in_the_last_row_is_refused_before_it_is_read(tmp_path: Path, cell: str) -> None:
    rows = f'<row r="1048576">{cell}</row></sheetData>'
    path = _with(_write(tmp_path / "a.xlsx", GOOD), "</sheetData>", rows)
    with pytest.raises(BadInput, match="reaches to row 1,048,576"):
        layout_of(path, (LAYOUT,))


@pytest.mark.parametrize("path", sorted(MADE_UP.rglob("*.xlsx")), ids=lambda path: path.name)
def test_an_error_in_a_figure_is_refused_in_every_workbook_source(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, path: Path
) -> None:
    source = all_sources()[path.parent.parent.name]
    layout = layout_of(path, source.layouts)
    assert isinstance(layout, WorkbookLayout)
    *_, last = layout.parse(Workbook(path))
    address = f"{column_letter(last.column)}{last.row + 1}"
    changed = changed_workbook(path, tmp_path, {(last.sheet, address): "#N/A"})
    with pytest.raises(BadInput) as caught:
        layout_of(changed, source.layouts).read(con, changed)
    assert caught.value.where == f"{path.name}, sheet {last.sheet!r}, cell {address}"
    assert caught.value.found == "#N/A"


# Made up with xlwt, for no library here writes an .xls: one sheet per error, one without.
XLS = FIXTURES / "made_up_errors.xls"
ERRORS = {
    "#NULL!": "#NULL!",
    "#DIV_0!": "#DIV/0!",
    "#VALUE!": "#VALUE!",
    "#REF!": "#REF!",
    "#NAME_": "#NAME?",
    "#NUM!": "#NUM!",
    "#N_A": "#N/A",
    "Formula": "#DIV/0!",
}


@pytest.mark.parametrize(("sheet", "error"), ERRORS.items())
def test_an_error_in_an_xls_is_refused_with_sheet_and_cell(
    con: duckdb.DuckDBPyConnection, sheet: str, error: str
) -> None:
    def parse(book: Workbook) -> Iterator[Cell]:
        assert book.sheet(sheet).cell(1, 2) == ""  # as the reader has it
        yield Cell(("made up",), sheet, 1, 2, book.sheet(sheet).cell(1, 2))

    with pytest.raises(BadInput) as caught:
        WorkbookLayout("made up", TABLE, (sheet,), parse).read(con, XLS)
    assert caught.value.where == f"made_up_errors.xls, sheet {sheet!r}, cell C2"
    assert caught.value.found == error


def test_an_error_in_another_sheet_of_an_xls_is_ignored(con: duckdb.DuckDBPyConnection) -> None:
    def parse(book: Workbook) -> Iterator[Cell]:
        yield Cell(("made up",), "Good", 1, 2, book.sheet("Good").cell(1, 2))

    rows = WorkbookLayout("made up", TABLE, ("Good",), parse).read(con, XLS).rows
    assert rows.select('"value"').fetchall() == [("7",)]


def test_no_more_rows_are_kept_than_read_if_a_source_keeps_empty_ones(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "made_up.csv"
    path.write_text("label,figure\nJapan,1\n,\n,\n")
    extract = CSV_SHEET.read(con, path)
    assert (extract.rows_read, extract.rows_kept) == (3, 3)
