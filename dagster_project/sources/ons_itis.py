"""UK Office for National Statistics, International Trade in Services survey (annual).

A workbook of report sheets. Tables C1 (all industries) to C7 break the trade of an industry down by
product, each in two sheets: 2009-2012 in the older classification, where the relevant products are
"Royalties and Licenses", and from 2013 with "Intellectual Property" by kind of right, with outright
sales and purchases separate from charges for the use. Exports, imports and balance are side by
side, with a blank column between; the header has three rows (title, flow, year), its flows are
merged cells. Million GBP; `..` is disclosive, `-` is nil or less than half a million.

Labels of lines and tables of further industries are kept as they are: the gate warns of those that
the mapping seeds lack.

Peculiarities: sheet names have blanks at either end; the word balance appears twice above some
tables; one label is misspelt on six sheets and correct on the seventh. Tables A0 to C0 have no rows
of intellectual property; D1 and D2 are of all services of the film and television industries.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from dagster_project.base.errors import BadInput
from dagster_project.layouts import Cell, RawTable, Sheet, Workbook, WorkbookLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

intellectual_property = RawTable(
    "ons_itis__intellectual_property",
    ("table_code", "table_title", "section", "right_group", "item", "flow", "period"),
    by_cell=True,
)

# The beginning of each table's title: otherwise a table with another industry's number would pass.
_INDUSTRIES = {
    "C1": "Total International Trade in Services all industries",
    "C2": "Manufacturing",
    "C3": "Wholesale & Retail",
    "C4": "Information and Communication",
    "C5": "Professional, Scientific and Technical Support",
    "C6": "Administrative and Support Service Activities",
    "C7": "Arts, Entertainment, Recreation and Other Service Activities",
}
_SHEET_NAME = re.compile(r"Table (C\d+) (\d{4})-(\d{4})")
_FLOWS = ("Exports", "Imports", "Balance")
_UNIT_ROW, _FLOW_ROW, _YEAR_ROW = 1, 2, 3
_SECTION, _GROUP, _ITEM, _FIRST_FIGURE = 0, 1, 2, 3


_SECTIONS = ("Royalties and Licenses", "Intellectual Property")


def _parse(book: Workbook) -> Iterator[Cell]:
    found = []
    for name in book.sheet_names:  # every sheet is read, so that its rows are counted
        sheet = book.sheet(name)
        section = next((cell for cell in _first_column(sheet) if cell in _SECTIONS), None)
        table = _SHEET_NAME.fullmatch(name.strip())
        if table and (section or table[1] in _INDUSTRIES):
            found.append((table[1], section))
            yield from _cells(sheet, table[1], section, range(int(table[2]), int(table[3]) + 1))
        elif section:
            raise BadInput(
                "an unknown sheet with intellectual property",
                where=sheet.address(_first_column(sheet).index(section), _SECTION),
                expected="intellectual property in tables C1, C2 and so on, with their years",
                found=f"the section {section!r}",
                fix="add the table to the source's module",
            )
    expected = {(code, section) for section in _SECTIONS for code in _INDUSTRIES}
    if not expected <= set(found) or len(set(found)) < len(found):
        raise BadInput(
            "a missing or repeated table",
            where=book.file,
            expected=f"tables C1 to C7, each once with {' and once with '.join(_SECTIONS)}",
            found=", ".join(f"{code} with {section}" for code, section in found) or "none",
            fix="compare with the previous release: the publisher may have renamed a sheet",
        )


def _first_column(sheet: Sheet) -> list[str]:
    return [sheet.cell(row, _SECTION) for row in range(len(sheet.rows))]


def _cells(sheet: Sheet, code: str, section: str | None, years: range) -> Iterator[Cell]:
    sheet.expect(0, 0, code)
    title = sheet.cell(0, _ITEM)
    if not title.startswith(_INDUSTRIES.get(code, "")):
        raise sheet.moved(_INDUSTRIES[code], 0, _ITEM, title)
    sheet.column_of("£ million", _UNIT_ROW)
    columns = list(_columns(sheet, years))
    heading = sheet.row_of(section or " or ".join(_SECTIONS), _SECTION)
    group = ""
    for row in range(heading + 1, len(sheet.rows)):
        place = _ITEM if sheet.cell(row, _ITEM) else _GROUP
        if sheet.cell(row, _SECTION) or not sheet.cell(row, place):
            break
        label = sheet.rows[row][place]
        if place == _GROUP and not any(sheet.cell(row, column) for _, _, column in columns):
            group = label
            continue
        for flow, year, column in columns:
            labels = (
                sheet.rows[0][0],
                sheet.rows[0][_ITEM],
                sheet.rows[heading][_SECTION],
                group if place == _ITEM else "",
                label,
                flow,
                year,
            )
            yield Cell(labels, sheet.name, row, column, sheet.rows[row][column])


def _columns(sheet: Sheet, years: range) -> Iterator[tuple[str, str, int]]:
    """Yield flow, year and column of the figures: each flow has the years of the sheet's name.

    A flow's name is a merged cell, with its text in the first column only.
    """
    starts: list[int] = []
    for flow in _FLOWS:
        after = starts[-1] + 1 if starts else _FIRST_FIGURE
        starts.append(sheet.column_of(flow, _FLOW_ROW, after))
    ends = [*starts[1:], len(sheet.rows[_YEAR_ROW])]
    for flow_start, end in zip(starts, ends, strict=True):
        columns = [column for column in range(flow_start, end) if sheet.cell(_YEAR_ROW, column)]
        found = [sheet.cell(_YEAR_ROW, column) for column in columns]
        if found != [str(year) for year in years]:
            raise sheet.moved(
                f"the years {years[0]} to {years[-1]}", _YEAR_ROW, flow_start, ", ".join(found)
            )
        flow = sheet.rows[_FLOW_ROW][flow_start]
        yield from ((flow, year, column) for year, column in zip(found, columns, strict=True))


SOURCE = Source(
    name="ons_itis",
    tables=(intellectual_property,),
    required=(intellectual_property,),
    # Once a year, in winter, about 13 months after the year it is about, at 9:30; the day moves.
    calendar=Calendar(
        timezone="Europe/London",
        poll_cron="45 9 * 1-4,10-12 2",
        deadline_cron="0 12 1 5 *",
        freshness_window=timedelta(days=215),
    ),
    layouts=(
        WorkbookLayout(
            "ONS International Trade in Services, annual tables",
            intellectual_property,
            sheets=("Contents", "Table A0", "Table C0"),
            parse=_parse,
        ),
    ),
)
