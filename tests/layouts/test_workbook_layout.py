"""Workbooks: found by their labels, and refused before they can hurt."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from openpyxl import Workbook as Written

from dagster_project.errors import BadInput
from dagster_project.layouts import Cell, RawTable, Workbook, WorkbookLayout, layout_of

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


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
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


def test_a_formula_that_was_never_calculated_is_refused_with_its_cell(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.xlsx", {"AB1": 2019, "A3": "Royalties", "AB3": "=1+1"})
    with pytest.raises(BadInput, match=r"a formula without its result \(.*, cell AB3\)"):
        layout_of(path, (LAYOUT,))


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
    path = _write(tmp_path / "a.xlsx", {"AB1": 2019, "A3": "Royalties", "AB3": 7})
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    content = members[sheet].decode()
    members[sheet] = re.sub('<c r="AB3"[^>]*><v>7</v></c>', cell, content).encode()
    assert members[sheet] != content.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
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
