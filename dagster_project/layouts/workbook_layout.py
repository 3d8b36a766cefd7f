"""Workbooks (.xls, .xlsx), read sheet by sheet; the source's function goes by their labels."""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import duckdb
from python_calamine import CalamineError, CalamineWorkbook

from dagster_project.base.errors import BadInput
from dagster_project.layouts.layout import Extract, OnRead, RawTable, ignore

MAX_UNPACKED_BYTES = 256 << 20  # an .xlsx is a zip: the largest real one unpacks to 40 MB
MAX_CELLS = 5_000_000  # the largest real sheet has 240,000
# Rows, and their cells' addresses, in whatever quotes and namespace.
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s>/])")
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s>/])")
_REACHES = re.compile(rb"\sr\s*=\s*[\"']\s*([A-Za-z]*)([0-9]*)\s*[\"']")
# What follows `<row` in a row of empty cells: spreadsheets are formatted to the last one.
_MARKS = rb"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*"
_EMPTY_CELL = rb"<(?:\w+:)?c%s(?:/>|>\s*</(?:\w+:)?c\s*>)" % _MARKS
_EMPTY_ROW = re.compile(
    rb"%s(?:/>|>(?:\s*%s)*\s*</(?:\w+:)?row\s*>)\s*(?:</(?:\w+:)?sheetData\s*>.*)?"
    % (_MARKS, _EMPTY_CELL),
    re.S,
)
_BLANK = b"\xef\xbb\xbf \r\n\t"
_ANOTHER_FORMAT = {"content.xml", "xl/workbook.bin"}  # OpenDocument, binary: not looked through
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
        sheet = f"sheet {self.name!r}, " if self.name else ""
        return f"{self.file}, {sheet}cell {column_letter(column)}{row + 1}"

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

    def expect_next_period(self, row: int, column: int) -> None:
        """Raise BadInput unless a year or quarter is the one after that in the cell before it.

        A cell before it that holds something else, or a period of another length, begins nothing.
        """
        before, found = self.cell(row, column - 1), self.cell(row, column)
        expected = _period_after(before)
        if expected and len(before) == len(found) and found != expected:
            raise self.moved(expected, row, column, found)

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
        self._path = path
        self._errors = _errors_in_xlsx if zipfile.is_zipfile(path) else _errors_in_xls
        if zipfile.is_zipfile(path):
            _look_through(path)
        self._book = CalamineWorkbook.from_path(path)

    @cached_property
    def sheet_names(self) -> list[str]:
        """The names as served, blanks at their ends included."""
        return list(self._book.sheet_names)

    def sheet(self, name: str) -> Sheet:
        """Read a sheet; blanks at the ends of its name do not count. Raises BadInput."""
        served = next(iter(self._served([name])), None)
        if served is None:
            raise BadInput(
                "a sheet that is not there",
                where=self.file,
                expected=f"a sheet {name!r}",
                found=", ".join(repr(sheet) for sheet in self.sheet_names),
                fix="compare with the release before: the publisher may have renamed the sheet",
            )
        rows = self._book.get_sheet_by_name(served).to_python(skip_empty_area=False)
        texts = [[_text(cell) for cell in row] for row in rows]
        self.rows_read += sum(any(row) for row in texts)
        return Sheet(self.file, served, texts)

    def _served(self, names: Iterable[str]) -> list[str]:
        """Those of the workbook's sheets that have one of these names."""
        wanted = {name.strip() for name in names}
        return [name for name in self.sheet_names if name.strip() in wanted]

    def refuse_errors(self, sheets: Iterable[str]) -> None:
        """Raise BadInput for the first cell of these sheets that holds an error, not a value."""
        for name in self._served(sheets):
            for row, column, found in self._errors(self._path, name):
                raise BadInput(
                    "a cell without its value",
                    where=Sheet(self.file, name, []).address(row, column),
                    expected="a figure, a text or an empty cell",
                    found=found,
                    fix="fetch the file again; if it was edited, open it, correct the formula and"
                    " save it; if the publisher serves it so, wait for the publisher's correction",
                )


def _errors_in_xlsx(path: Path, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Yield row and column (from 0) of errors, and of formulas that were never calculated.

    The reader takes both for empty cells.
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
                column = _column_number(letters.upper().encode()) - 1 if letters else column + 1
                parts = {_local(part): (part.text or "").strip() for part in cell}
                if cell.get("t") == "e":
                    yield at - 1, column, parts.get("v") or "an error"
                elif "f" in parts and not parts.get("v") and cell.get("t") != "str":
                    yield at - 1, column, f"the formula {parts['f']!r} without its result"
            element.clear()


def _sheet_member(archive: zipfile.ZipFile, sheet: str) -> str:
    """The archive's member that holds a sheet. Raises KeyError."""
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
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _errors_in_xls(path: Path, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Yield row and column (from 0) of errors. An .xls has no formula without a result."""
    import xlrd

    book = xlrd.open_workbook(path, on_demand=True, logfile=io.StringIO())
    cells = book.sheet_by_name(sheet)
    for row in range(cells.nrows):
        for column, kind in enumerate(cells.row_types(row)):
            if kind == xlrd.XL_CELL_ERROR:
                code = cells.cell_value(row, column)
                yield row, column, xlrd.error_text_from_code.get(code, f"error {code}")


def _look_through(path: Path) -> None:
    """Raise ValueError for an .xlsx that must not be handed to the reader.

    The reader allocates the whole rectangle up to a sheet's farthest cell with content, and the
    process dies if it cannot; so that cell is looked for first, in every member, for a sheet can be
    anywhere. Reading them also verifies their checksums, which the reader does not.
    """
    with zipfile.ZipFile(path) as archive:
        if another := _ANOTHER_FORMAT & set(archive.namelist()):
            raise ValueError(f"not an .xlsx: it has the member {another.pop()}")
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise ValueError(f"a workbook that unpacks to {unpacked:,} bytes")
        for member in archive.infolist():
            content = archive.read(member)
            if content.lstrip(_BLANK).startswith(b"<") and b"<!DOCTYPE" in content:
                raise ValueError(f"a document type ({member.filename}), as no workbook has")
            if _ROW.search(content):
                _look_through_sheet(member.filename, content)


def _look_through_sheet(name: str, content: bytes) -> None:
    # Most sheets are small whatever their cells hold: empty ones are looked for if this is not.
    if _cells(*_reach(content)) > MAX_CELLS:
        rows, columns, count = _reach(re.sub(_EMPTY_CELL, b"", content))
        if _cells(rows, columns, count) > MAX_CELLS:
            raise ValueError(f"a sheet ({name}) that reaches to row {rows:,}, column {columns:,}")


def _cells(rows: int, columns: int, count: int) -> int:
    return max(count, rows * columns)


def _reach(content: bytes) -> tuple[int, int, int]:
    """The last row and column of a sheet, not of empty rows at its end, and how many cells it has.

    No more than what is too much.
    """
    rows = columns = count = 0
    found = _ROW.split(content)
    while len(found) > 1 and _EMPTY_ROW.fullmatch(found[-1]):
        found.pop()
    for row in found:
        rows += 1  # a row without its number is the one after the row before it
        cells = len(_CELL.findall(row))
        count += cells
        columns = max(columns, cells)
        # Of a row all cells count; among a sheet's rows most have the same columns.
        for letters, number in set(_REACHES.findall(row)):
            rows = max(rows, int(number[:9] or 0))
            columns = max(columns, _column_number(letters[:4].upper()))
        if _cells(rows, columns, count) > MAX_CELLS:
            break
    return rows, columns, count


def _column_number(letters: bytes) -> int:
    """The reverse of `column_letter`, but counted from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


@dataclass(frozen=True)
class Cell:
    """One cell that holds a figure (or a mark in its place), with the labels it stands under.

    labels: the raw table's columns, in their order. row and column count from 0. header: what the
    raw table has in `_column`, where that is not the spreadsheet's letter.
    """

    labels: tuple[str, ...]
    sheet: str
    row: int
    column: int
    text: str
    header: str = ""


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
            found = {name.strip() for name in Workbook(path).sheet_names}
        except _NOT_A_WORKBOOK:
            return 0.0
        return 0.5 + len(found & {name.strip() for name in self.sheets}) / (2 * len(self.sheets))

    def mismatch(self, path: Path) -> str | None:
        try:
            names = Workbook(path).sheet_names
        except _NOT_A_WORKBOOK as error:
            return f"a file that is not a workbook ({error})"
        served = {name.strip() for name in names}
        missing = [repr(sheet) for sheet in self.sheets if sheet.strip() not in served]
        if missing:
            return f"no sheet {', '.join(missing)} among {', '.join(repr(name) for name in names)}"
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        book = Workbook(path)
        try:
            cells = list(self.parse(book))
        except BadInput:
            book.refuse_errors(self.sheets)  # a label may be lost to one
            raise
        book.refuse_errors(cell.sheet for cell in cells)
        return extract_of(con, self.table, cells, book.rows_read)


def extract_of(
    con: duckdb.DuckDBPyConnection, table: RawTable, cells: list[Cell], rows_read: int
) -> Extract:
    """Return cells as an extract."""
    columns = [*table.columns, "_column", "value", "_sheet"]
    values = {
        "labels": [[label or None for label in cell.labels] for cell in cells],
        "headers": [cell.header or column_letter(cell.column) for cell in cells],
        "texts": [cell.text or None for cell in cells],
        "sheets": [cell.sheet or None for cell in cells],
        "rows": [cell.row + 1 for cell in cells],
    }
    labels = ", ".join(
        f'labels[{number}] as "{column}"' for number, column in enumerate(table.columns, start=1)
    )
    con.execute(
        f"""
        create table incoming as
        select {labels}, "_column", "value", _sheet, _row
        from (
            select
                unnest($labels::varchar[][]) as labels,
                unnest($headers::varchar[]) as "_column",
                unnest($texts::varchar[]) as "value",
                unnest($sheets::varchar[]) as _sheet,
                unnest($rows::bigint[]) as _row
        )
        """,
        values,
    )
    quoted = ", ".join(f'"{name}"' for name in columns)
    rows = con.sql(f"select {quoted}, _row from incoming")
    return Extract(rows, rows_read, len({(cell.sheet, cell.row) for cell in cells}))


def column_letter(column: int) -> str:
    """Return a spreadsheet's name of a column that counts from 0: A, Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _period_after(period: str) -> str | None:
    """The year after a year, the quarter after a quarter (2019Q4); None for anything else."""
    parts = re.fullmatch(r"(\d{4})(?:Q([1-4]))?", period)
    if not parts:
        return None
    year, quarter = int(parts[1]), int(parts[2] or 0)
    if not quarter:
        return str(year + 1)
    return f"{year + quarter // 4}Q{quarter % 4 + 1}"


def _text(cell: object) -> str:
    """A cell as the spreadsheet means it: numbers with the fewest digits that give the same number.

    Whole numbers have no decimal point, and none has an exponent.
    """
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, float):
        return f"{Decimal(repr(cell)):f}"
    return str(cell)
