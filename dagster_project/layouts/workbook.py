"""A workbook (.xls, .xlsx) as sheets of text, with lookups by label."""

import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from dagster_project.base.errors import BadInput
from dagster_project.layouts.cell_address import column_letter
from dagster_project.layouts.workbook_errors import errors_in_xls, errors_in_xlsx
from dagster_project.layouts.xlsx_precheck import precheck
from dagster_project.layouts.xml_text import forbidden_text, is_forbidden

# Errors of reading a file that is not a workbook.
NOT_A_WORKBOOK = (
    CalamineError,
    ValueError,
    OSError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Sheet:
    """One sheet as text. Rows and columns count from 0; in messages from 1 and A."""

    file: str
    name: str
    rows: list[list[str]]

    def cell(self, row: int, column: int) -> str:
        """Return the cell's text, stripped; an empty text outside the sheet."""
        if row < len(self.rows) and column < len(self.rows[row]):
            return self.rows[row][column].strip()
        return ""

    def address(self, row: int, column: int) -> str:
        """Return a cell's address for messages: `file, sheet 'name', cell B7`."""
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
        """Raise BadInput unless a year or quarter follows the one in the cell before it. Nothing is
        checked if that cell holds something else, or a period of another length.
        """
        before, found = self.cell(row, column - 1), self.cell(row, column)
        expected = _period_after(before)
        if expected and len(before) == len(found) and found != expected:
            raise self.moved(expected, row, column, found)

    def moved(self, label: str, row: int, column: int, found: str) -> BadInput:
        """Return the error for a label that is not where the layout expects it."""
        return BadInput(
            "a label that was moved or renamed",
            where=self.address(row, column),
            expected=repr(label),
            found=repr(found),
            fix="compare with the previous release, and correct the layout in the source's module",
        )


class Workbook:
    """A workbook's sheets, each read when requested; counts the rows read."""

    def __init__(self, path: Path) -> None:
        self.file = path.name
        self.rows_read = 0
        self._path = path
        self._errors = errors_in_xlsx if zipfile.is_zipfile(path) else errors_in_xls
        if zipfile.is_zipfile(path):
            precheck(path)
        self._book = CalamineWorkbook.from_path(path)

    @cached_property
    def sheet_names(self) -> list[str]:
        """Return the names as served, including blanks at their ends."""
        return list(self._book.sheet_names)

    def sheet(self, name: str) -> Sheet:
        """Read a sheet; blanks at the ends of its name are ignored. Raises BadInput."""
        found = self._served([name])
        if len(found) != 1:
            raise BadInput(
                "a sheet twice" if found else "a missing sheet",
                where=self.file,
                expected=f"one sheet {name!r}",
                found=", ".join(repr(sheet) for sheet in self.sheet_names),
                fix="compare with the previous release: the publisher may have renamed the sheet",
            )
        (served,) = found
        rows = self._book.get_sheet_by_name(served).to_python(skip_empty_area=False)
        texts = [[_text(cell) for cell in row] for row in rows]
        for at, row in enumerate(texts):
            for column, cell in enumerate(row):
                if is_forbidden(cell):
                    address = Sheet(self.file, served, []).address(at, column)
                    raise forbidden_text(f"{address} (row {at + 1}, column {column + 1})", cell)
        self.rows_read += sum(any(row) for row in texts)
        return Sheet(self.file, served, texts)

    def _served(self, names: Iterable[str]) -> list[str]:
        """Return the workbook's sheets that have one of these names."""
        wanted = {name.strip() for name in names}
        return [name for name in self.sheet_names if name.strip() in wanted]

    def refuse_errors(self, sheets: Iterable[str]) -> None:
        """Raise BadInput for the first cell of these sheets that holds an error."""
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


def _period_after(period: str) -> str | None:
    """Return the next year, or the next quarter (2019Q4); None for anything else."""
    parts = re.fullmatch(r"(\d{4})(?:Q([1-4]))?", period)
    if not parts:
        return None
    year, quarter = int(parts[1]), int(parts[2] or 0)
    if not quarter:
        return str(year + 1)
    return f"{year + quarter // 4}Q{quarter % 4 + 1}"


def _text(cell: object) -> str:
    """Return a cell's text: numbers with the fewest digits that give the same number.

    Whole numbers have no decimal point, and there are no exponents.
    """
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, float):
        return f"{Decimal(repr(cell)):f}"
    return str(cell)
