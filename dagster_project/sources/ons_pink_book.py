"""UK Office for National Statistics, Pink Book, chapter 3: intellectual property by type of right.

An .xls workbook of report sheets. Sheet 3.6 has the four EBOPS types and their total, as exports,
imports and balances, each series with its CDID (the office's permanent identifier). A type with an
unknown CDID and label is kept as it is, and the gate warns. Million GBP. Labels are indented with
blanks. ` -` means that a type was not yet separate: the total of those years is the sum of the
other types, so the mark is not a nil. A note under the table says that the latest year is
provisional; the other sheets have no types of right.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from dagster_project.layouts import Cell, RawTable, Sheet, Workbook, WorkbookLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

intellectual_property = RawTable(
    "ons_pink_book__intellectual_property",
    ("section", "item", "cdid", "period"),
    by_cell=True,
)

_SHEET = "3.6"
_TITLE = "Intellectual property"
_SECTIONS = ("Exports (Credits)", "Imports (Debits)", "Balances")
_TOTAL = "Total"
_YEAR = re.compile(r"(19|20)\d\d")
_UNIT_ROW, _YEAR_ROW = 1, 2
_LABEL, _CDID = 1, 2


def _parse(book: Workbook) -> Iterator[Cell]:
    for name in book.sheet_names:  # every sheet is read, so that its rows are counted
        sheet = book.sheet(name)
        if name == _SHEET:
            yield from _cells(sheet)


def _cells(sheet: Sheet) -> Iterator[Cell]:
    sheet.expect(0, 0, _SHEET)
    if sheet.cell(0, _LABEL).rstrip("0123456789,") != _TITLE:  # the numbers of notes follow
        raise sheet.moved(_TITLE, 0, _LABEL, sheet.cell(0, _LABEL))
    sheet.column_of("£ million", _UNIT_ROW)
    years = list(_years(sheet))
    row = _YEAR_ROW
    for section in _SECTIONS:
        row = heading = _next_labelled(sheet, row)
        sheet.expect(heading, _LABEL, section)
        item = ""
        while item != _TOTAL:
            row = _next_labelled(sheet, row)
            item = sheet.cell(row, _LABEL)
            if item in ("", *_SECTIONS):
                raise sheet.moved(_TOTAL, row, _LABEL, item or "the end of the sheet")
            for column, year in years:
                labels = (
                    sheet.rows[heading][_LABEL],
                    sheet.rows[row][_LABEL],
                    sheet.rows[row][_CDID],
                    year,
                )
                yield Cell(labels, sheet.name, row, column, sheet.rows[row][column])
    _expect_provisional_note(sheet, row)


def _years(sheet: Sheet) -> Iterator[tuple[int, str]]:
    """Yield the columns with figures and their years, which are consecutive."""
    start = _CDID + 1
    first = sheet.cell(_YEAR_ROW, start)
    if not _YEAR.fullmatch(first):
        raise sheet.moved("a year", _YEAR_ROW, start, first)
    filled = [column for column, year in enumerate(sheet.rows[_YEAR_ROW]) if year.strip()]
    for column in range(start, filled[-1] + 1):
        year = str(int(first) + column - start)
        sheet.expect(_YEAR_ROW, column, year)
        yield column, year


def _next_labelled(sheet: Sheet, row: int) -> int:
    """Return the next row with a label, skipping blank rows."""
    row += 1
    while row < len(sheet.rows) and not sheet.cell(row, _LABEL):
        row += 1
    return row


def _expect_provisional_note(sheet: Sheet, row: int) -> None:
    """Staging marks the latest year as provisional; without the note that would be wrong."""
    notes = range(row + 1, len(sheet.rows))
    if not any("provisional" in sheet.cell(note, _LABEL) for note in notes):
        raise sheet.moved("a note with the word provisional", row + 1, _LABEL, "no such note below")


SOURCE = Source(
    name="ons_pink_book",
    tables=(intellectual_property,),
    required=(intellectual_property,),
    # Once a year, on the last working day of October, at 9:30.
    calendar=Calendar(
        timezone="Europe/London",
        poll_cron="45 9 * 10,11 1-5",
        deadline_cron="0 12 15 11 *",
        freshness_window=timedelta(days=60),
    ),
    layouts=(
        WorkbookLayout(
            "ONS Pink Book, chapter 3",
            intellectual_property,
            sheets=("3.1", _SHEET),
            parse=_parse,
        ),
    ),
)
