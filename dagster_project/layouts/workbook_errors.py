"""Cells of a workbook that hold an error instead of a value, which the reader treats as empty."""

import io
import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from dagster_project.layouts.cell_address import column_number


def errors_in_xlsx(path: Path, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Yield row and column (from 0) of errors, and of formulas that were never calculated.

    The reader treats both as empty cells.
    """
    at = 0
    with zipfile.ZipFile(path) as archive, archive.open(_sheet_member(archive, sheet)) as file:
        for _, element in ElementTree.iterparse(file):
            if _local(element) != "row":
                continue
            at = int(element.get("r") or at + 1)
            column = -1
            for cell in element:
                letters = (cell.get("r") or "").rstrip("0123456789")
                column = column_number(letters.upper().encode()) - 1 if letters else column + 1
                parts = {_local(part): (part.text or "").strip() for part in cell}
                if cell.get("t") == "e":
                    yield at - 1, column, parts.get("v") or "an error"
                elif "f" in parts and not parts.get("v") and cell.get("t") != "str":
                    yield at - 1, column, f"the formula {parts['f']!r} without its result"
            element.clear()


def _sheet_member(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the archive's member that holds a sheet. Raises KeyError."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    numbers = {
        element.get("name"): value
        for element in book.iterfind("{*}sheets/{*}sheet")
        for name, value in element.items()
        if name.endswith("}id")
    }
    return posixpath.join("/xl", targets[numbers[sheet]]).lstrip("/")


def _local(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def errors_in_xls(path: Path, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Yield row and column (from 0) of errors. In an .xls every formula has a result."""
    import xlrd

    book = xlrd.open_workbook(path, on_demand=True, logfile=io.StringIO())
    cells = book.sheet_by_name(sheet)
    for row in range(cells.nrows):
        for column, kind in enumerate(cells.row_types(row)):
            if kind == xlrd.XL_CELL_ERROR:
                code = cells.cell_value(row, column)
                yield row, column, xlrd.error_text_from_code.get(code, f"error {code}")
