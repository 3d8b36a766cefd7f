"""US Bureau of Economic Analysis, table 1.5: US trade by area and country, million dollars.

A download of the interactive table as .xls: one row per line of exports, one column per area and
year. The format is limited to 256 columns, so the table continues on further sheets, each with its
own title rows and legend, and an area's years may be split. In every second header cell the
trailing blank is a no-break space. Areas, their residuals ("Europe, other") and countries are side
by side.

Marks: `(D)` suppressed; `(*)` not zero, but less than half a million; `0` nil; `n.a.` not
available; `.....` not applicable.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from dagster_project.layouts import Cell, RawTable, Sheet, Workbook, WorkbookLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

observations = RawTable(
    "bea_trade_by_area__observations",
    ("stated_release", "block", "line", "item", "area", "year"),
    by_cell=True,
)

_TITLE = "Table 1.5. U.S. International Trade in Goods and Services by Area and Country"
_UNIT = "[Millions of dollars]"
_RELEASED = "Release Date: "
_BLOCK = "Exports of goods and services"
_ITEM = "Charges for the use of intellectual property n.i.e."
_LINES, _ITEMS = 0, 1  # the columns of line numbers and items
_YEAR = re.compile(r"(19|20)\d\d")


def _cells(book: Workbook) -> Iterator[Cell]:
    """Yield the cells of the line, sheet by sheet. Raises BadInput if a label differs."""
    for name in book.sheet_names:
        sheet = book.sheet(name)
        sheet.expect(0, 0, _TITLE)
        sheet.row_of(_UNIT)
        areas = sheet.row_of("Line", _LINES)
        row = _row_of_item(sheet, areas + 2)
        labels = (_release(sheet), _BLOCK, sheet.cell(row, _LINES), _ITEM)
        for column in range(_ITEMS + 1, len(sheet.rows[areas])):
            area, year = sheet.cell(areas, column), sheet.cell(areas + 1, column)
            text = sheet.cell(row, column)
            if not (area or year or text):  # a sheet may be wider than its table
                continue
            if not area:
                raise sheet.moved("an area or country", areas, column, area)
            if not _YEAR.fullmatch(year):
                raise sheet.moved("a year", areas + 1, column, year)
            if area == sheet.cell(areas, column - 1):
                sheet.expect_next_period(areas + 1, column)
            yield Cell((*labels, area, year), sheet.name, row, column, text)


def _release(sheet: Sheet) -> str:
    """Return the title line with the release date."""
    for row in range(len(sheet.rows)):
        if sheet.cell(row, 0).startswith(_RELEASED):
            return sheet.cell(row, 0)
    raise sheet.moved(_RELEASED, 0, 0, "no such label below")


def _row_of_item(sheet: Sheet, start: int) -> int:
    """Return the row of the charges among the exports: the items indented below the block's row.

    Other tables of this form repeat the item among the imports.
    """
    block = sheet.row_of(_BLOCK, _ITEMS, start)
    for row in range(block + 1, len(sheet.rows)):
        item = sheet.rows[row][_ITEMS]
        if not item[:1].isspace():
            raise sheet.moved(_ITEM, row, _ITEMS, item.strip() or "the end of the exports")
        if item.strip() == _ITEM:
            return row
    raise sheet.moved(_ITEM, block, _ITEMS, "no such label below")


SOURCE = Source(
    name="bea_trade_by_area",
    tables=(observations,),
    required=(observations,),
    manual_instructions="BEA serves the workbook from an interactive table, which has no URL",
    # Four times a year, late in the last month of the next quarter (21 September 2021). A person
    # saves the workbook within a fortnight.
    calendar=Calendar(
        timezone="America/New_York",
        deadline_cron="0 12 10 1,4,7,10 *",
        freshness_window=timedelta(days=45),
    ),
    layouts=(
        WorkbookLayout(
            "BEA table 1.5, trade by area and country",
            observations,
            sheets=("Sheet0",),
            parse=_cells,
        ),
    ),
)
