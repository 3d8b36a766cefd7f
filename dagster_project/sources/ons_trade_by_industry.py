"""ONS, UK trade in services by industry, country and service type: intellectual property.

Two workbooks per release, one per direction: industry (SIC 2007 division) by area, one column per
year, in million pounds. Code and name share a cell (`W1 World total`). Exports come as text with
thousands commas, imports as numbers. `..` is suppressed, and an absent row may be nil or
suppressed. By service type only the world, the EU and the rest are separate, and there is no total
of the industries. An edition restates its whole window: releases are complete.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from dagster_project.layouts import Cell, RawTable, Workbook, WorkbookLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

EXPORTS, IMPORTS = "EX", "IM"

observations = RawTable(
    "ons_trade_by_industry__observations",
    ("country", "industry", "direction", "service_account", "period"),
    by_cell=True,
)

_LABELS = ("Country", "Industry", "Direction", "Service account")
_ACCOUNT = "8 Intellectual property"
_UNIT = "All data is in £ million, current prices"
_YEAR = re.compile(r"(19|20)\d\d")


def _cells(book: Workbook, sheet_name: str, direction: str) -> Iterator[Cell]:
    """Yield the cells of the service account. Raises BadInput if a label differs."""
    book.sheet("Contents").row_of(_UNIT, column=1)
    sheet = book.sheet(sheet_name)
    head = sheet.row_of(_LABELS[0])
    columns = [sheet.column_of(label, head) for label in _LABELS]
    directions, accounts = columns[2], columns[3]
    years = range(accounts + 1, len(sheet.rows[head]))
    for column in years or (accounts + 1,):
        if not _YEAR.fullmatch(sheet.cell(head, column)):
            raise sheet.moved("a year", head, column, sheet.cell(head, column))
        sheet.expect_next_period(head, column)
    for row in range(sheet.row_of(_ACCOUNT, accounts, head + 1), len(sheet.rows)):
        account = sheet.cell(row, accounts)
        if not account.startswith("8 "):
            continue
        sheet.expect(row, accounts, _ACCOUNT)
        sheet.expect(row, directions, direction)
        labels = tuple(sheet.cell(row, column) for column in columns)
        for column in years:
            period = sheet.cell(head, column)
            yield Cell((*labels, period), sheet.name, row, column, sheet.cell(row, column))


SOURCE = Source(
    name="ons_trade_by_industry",
    tables=(observations,),
    required=(observations,),
    # Once a year, in spring, more than a year after its reference year, at 9:30; the day moves by
    # months from year to year.
    calendar=Calendar(
        timezone="Europe/London",
        poll_cron="45 9 * 2-7 2",
        deadline_cron="0 12 1 8 *",
        freshness_window=timedelta(days=185),
    ),
    layouts=tuple(
        WorkbookLayout(
            f"ONS trade in services by industry, {flow}",
            observations,
            sheets=("Contents", sheet),
            parse=partial(_cells, sheet_name=sheet, direction=direction),
        )
        for flow, sheet, direction in (
            ("exports", "tis_ind_ex", EXPORTS),
            ("imports", "tis_ind_im", IMPORTS),
        )
    ),
)
