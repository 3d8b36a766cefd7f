"""Workbooks (.xls, .xlsx), read sheet by sheet; the source's function goes by their labels."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
from python_calamine import CalamineError, CalamineWorkbook

from dagster_project.errors import BadInput
from dagster_project.layouts.layout import Extract, RawTable

MAX_UNPACKED_BYTES = 1 << 30  # an .xlsx is a zip: the largest real one unpacks to 40 MB
MAX_CELLS = 20_000_000  # the largest real sheet has 240,000
_ADDRESS = re.compile(rb'r="([A-Za-z]+)([0-9]+)"')
_NOT_A_WORKBOOK = (
    CalamineError,
    ValueError,
    OSError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Sheet:
    """One sheet as text. Rows and columns count from 0 here, and from 1 and A in messages."""

    file: str
    name: str
    rows: list[list[str]]

    def cell(self, row: int, column: int) -> str:
        """The cell's text, stripped; an empty text outside of the sheet."""
        if row < len(self.rows) and column < len(self.rows[row]):
            return self.rows[row][column].strip()
        return ""

    def address(self, row: int, column: int) -> str:
        """Where a cell is, as every message names it: `file, sheet 'name', cell B7`."""
        return f"{self.file}, sheet {self.name!r}, cell {column_letter(column)}{row + 1}"

    def expect(self, row: int, column: int, label: str) -> None:
        """Raise BadInput unless the cell holds the label."""
        found = self.cell(row, column)
        if found != label:
            raise self.moved(label, row, column, found)

    def row_of(self, label: str, column: int = 0, start: int = 0) -> int:
        """Return the first row from `start` with the label in `column`. Raises BadInput."""
        for row in range(start, len(self.rows)):
            if self.cell(row, column) == label:
                return row
        raise self.moved(label, start, column, "no such label below")

    def column_of(self, label: str, row: int, start: int = 0) -> int:
        """Return the first column from `start` with the label in `row`. Raises BadInput."""
        width = len(self.rows[row]) if row < len(self.rows) else 0
        for column in range(start, width):
            if self.cell(row, column) == label:
                return column
        raise self.moved(label, row, start, "no such label to the right")

    def moved(self, label: str, row: int, column: int, found: str) -> BadInput:
        """The error for a label that is not where the layout has it."""
        return BadInput(
            "a label that was moved or renamed",
            where=self.address(row, column),
            expected=repr(label),
            found=repr(found),
            fix="compare the sheet with the release before, and mend the layout in the source's"
            " module",
        )


class Workbook:
    """A workbook's sheets, read one by one as they are asked for; counts the rows that it read."""

    def __init__(self, path: Path) -> None:
        self.file = path.name
        self.rows_read = 0
        if zipfile.is_zipfile(path):
            _refuse_what_exhausts_memory(path)
        self._book = CalamineWorkbook.from_path(path)

    @cached_property
    def sheet_names(self) -> list[str]:
        """The names as served, blanks at their ends included."""
        return list(self._book.sheet_names)

    def sheet(self, name: str) -> Sheet:
        """Read a sheet. Raises BadInput if there is none of this name."""
        if name not in self.sheet_names:
            raise BadInput(
                "a sheet that is not there",
                where=self.file,
                expected=f"a sheet {name!r}",
                found=", ".join(repr(sheet) for sheet in self.sheet_names),
                fix="compare with the release before: the publisher may have renamed the sheet",
            )
        rows = self._book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        texts = [[_text(cell) for cell in row] for row in rows]
        self.rows_read += sum(any(row) for row in texts)
        return Sheet(self.file, name, texts)


def _refuse_what_exhausts_memory(path: Path) -> None:
    """Raise ValueError for an .xlsx that would be read into more memory than a machine has.

    The reader allocates the whole rectangle up to a sheet's farthest cell, and the process dies if
    it cannot; so the farthest cell is looked for first.
    """
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise ValueError(f"a workbook that unpacks to {unpacked:,} bytes")
        for member in archive.namelist():
            if member.startswith("xl/worksheets/") and member.endswith(".xml"):
                addresses = set(_ADDRESS.findall(archive.read(member)))
                rows = max((int(row[:9]) for _, row in addresses), default=0)
                letters = max((len(column) for column, _ in addresses), default=0)
                if rows * 26**letters > MAX_CELLS * 26:
                    raise ValueError(f"a sheet ({member}) that reaches to row {rows:,}")


@dataclass(frozen=True)
class Cell:
    """One cell that holds a figure (or a mark in its place), with the labels it stands under.

    labels: the raw table's columns, in their order. row and column count from 0.
    """

    labels: tuple[str, ...]
    sheet: str
    row: int
    column: int
    text: str


@dataclass(frozen=True)
class WorkbookLayout:
    """A workbook with the sheets named; `parse` yields its cells, finding its way by labels.

    The raw table is by cell: `_column` is the spreadsheet's letter, so that `_sheet`, `_column` and
    `_row` are the cell's address. `parse` raises BadInput where a label was moved or renamed.
    """

    name: str
    table: RawTable
    sheets: tuple[str, ...]
    parse: Callable[[Workbook], Iterator[Cell]]

    def likeness(self, path: Path) -> float:
        try:
            found = set(Workbook(path).sheet_names)
        except _NOT_A_WORKBOOK:
            return 0.0
        return 0.5 + len(found & set(self.sheets)) / (2 * len(self.sheets))

    def mismatch(self, path: Path) -> str | None:
        try:
            names = Workbook(path).sheet_names
        except _NOT_A_WORKBOOK as error:
            return f"a file that is not a workbook ({error})"
        missing = [repr(sheet) for sheet in self.sheets if sheet not in names]
        if missing:
            return f"no sheet {', '.join(missing)} among {', '.join(repr(name) for name in names)}"
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        book = Workbook(path)
        cells = list(self.parse(book))
        columns = [*self.table.columns, "_column", "value", "_sheet"]
        values = {
            "labels": [[label or None for label in cell.labels] for cell in cells],
            "letters": [column_letter(cell.column) for cell in cells],
            "texts": [cell.text or None for cell in cells],
            "sheets": [cell.sheet for cell in cells],
            "rows": [cell.row + 1 for cell in cells],
        }
        labels = ", ".join(
            f'labels[{number}] as "{column}"'
            for number, column in enumerate(self.table.columns, start=1)
        )
        con.execute(
            f"""
            create table incoming as
            select {labels}, "_column", "value", _sheet, _row
            from (
                select
                    unnest($labels::varchar[][]) as labels,
                    unnest($letters::varchar[]) as "_column",
                    unnest($texts::varchar[]) as "value",
                    unnest($sheets::varchar[]) as _sheet,
                    unnest($rows::bigint[]) as _row
            )
            """,
            values,
        )
        quoted = ", ".join(f'"{name}"' for name in columns)
        rows = con.sql(f"select {quoted}, _row from incoming")
        return Extract(rows, book.rows_read, len({(cell.sheet, cell.row) for cell in cells}))


def column_letter(column: int) -> str:
    """Return a spreadsheet's name of a column that counts from 0: A, Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _text(cell: object) -> str:
    """A cell as the spreadsheet means it: whole numbers without a decimal point."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
