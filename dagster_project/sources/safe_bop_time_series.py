"""SAFE, China's balance of payments (BPM6) as time series, in hundred millions of US dollars.

A workbook with a yearly and a quarterly sheet in dollars, and others in yuan and SDR. The name of
the yearly sheet ends in a blank. The periods are in one row, the items below each other: for each
the balance, then credits, then debits, which are negative. Labels are indented with blanks. Cells
are numbers of up to 15 significant digits, the precision of spreadsheets: a sum may be off in the
last digit.

Checked against the workbook of March 2024.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from dagster_project.layouts import Cell, RawTable, Sheet, Workbook, WorkbookLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

observations = RawTable(
    "safe_bop_time_series__observations", ("unit", "item", "entry", "period"), by_cell=True
)

_SHEETS = {
    "年度BOP（美元） ": re.compile(r"\d{4}"),  # noqa: RUF001 - as the sheet is called
    "季度BOP（美元）": re.compile(r"\d{4}Q[1-4]"),  # noqa: RUF001
}
_UNIT = "单位:亿美元"
_HEADER = "项目"
_LABELS = 0  # column A
_ITEM = "1.A.b.8知识产权使用费"
_CREDIT, _DEBIT = "贷方", "借方"


def _cells(book: Workbook) -> Iterator[Cell]:
    """Yield balance, credits and debits of the item. Raises BadInput if a label differs."""
    for name, period in _SHEETS.items():
        sheet = book.sheet(name)
        unit = _row_of(sheet, _UNIT, 0)
        header = _row_of(sheet, _HEADER, unit + 1)
        item = _row_of(sheet, _ITEM, header + 1)
        for row, entry in ((item, ""), (item + 1, _CREDIT), (item + 2, _DEBIT)):
            if entry and _plain(sheet.cell(row, _LABELS)) != entry:
                raise sheet.moved(entry, row, _LABELS, sheet.cell(row, _LABELS))
            for column in range(_LABELS + 1, len(sheet.rows[header])):
                named = sheet.cell(header, column)
                if not named and not sheet.cell(row, column):
                    continue  # a sheet may be wider than its table
                if not period.fullmatch(named):
                    raise sheet.moved("a period", header, column, named)
                before = sheet.cell(header, column - 1) if column - 1 > _LABELS else ""
                if named <= before:
                    raise sheet.moved(f"a period after {before}", header, column, named)
                labels = (sheet.cell(unit, _LABELS), sheet.cell(item, _LABELS), entry, named)
                yield Cell(labels, sheet.name, row, column, sheet.cell(row, column))


def _row_of(sheet: Sheet, label: str, start: int) -> int:
    for row in range(start, len(sheet.rows)):
        if _plain(sheet.cell(row, _LABELS)) == label:
            return row
    raise sheet.moved(label, start, _LABELS, "no such label below")


def _plain(label: str) -> str:
    """Return a label without blanks, which the publisher uses inconsistently."""
    return "".join(label.split()).replace("：", ":")  # noqa: RUF001 - the full-width colon


SOURCE = Source(
    name="safe_bop_time_series",
    tables=(observations,),
    required=(observations,),
    # Four times a year, in the last week of the quarter after the reference quarter (24 June 2020,
    # 27 March 2026), during the day.
    calendar=Calendar(
        timezone="Asia/Shanghai",
        poll_cron="0 18 20-31 3,6,9,12 *",
        deadline_cron="0 12 7 1,4,7,10 *",
        freshness_window=timedelta(days=30),
    ),
    layouts=(
        WorkbookLayout(
            "SAFE balance of payments, time series", observations, tuple(_SHEETS), _cells
        ),
    ),
)
