"""Workbooks: found by their labels, and refused before they can hurt."""

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
