"""ONS, UK trade in services, service type by partner country: intellectual property.

One workbook per release, or its sheet `Time Series` as CSV. The sheet holds every service type by
partner and direction, one column per year, then one per quarter, in million pounds, not seasonally
adjusted; the workbook's other sheets show the same figures period by period. `..` is suppressed, 0
is nil or less than half a million. A quarter can be suppressed while its year is not, and vice
versa.

An edition restates its whole window, with the areas of its time: B5 is the EU28 in the edition of
2021-07-12 and the EU27 in that of 2022-01-28, and D5 is the world outside it. The seed
`economy_code_map` maps them by release. So releases are complete: vintages do not mix within a
series.

The CSV has no note with the unit; the columns, codes and labels are those of the workbook. The gate
compares its size with the previous release, as for any source.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from dagster_project.layouts import Cell, CsvLayout, RawTable, Workbook, WorkbookLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

observations = RawTable(
    "ons_services_by_partner__observations",
    (
        "direction",
        "service_type_code",
        "service_type",
        "country_code",
        "country",
        "period",
    ),
    by_cell=True,
)

_LABELS = ("Direction", "Service type code", "Service type", "Country code", "Country")
_CODE, _NAME = "8", "Intellectual property"
_UNIT = "All data is in £millions"
_PERIOD = re.compile(r"(19|20)\d\d(Q[1-4])?")


def _cells(book: Workbook) -> Iterator[Cell]:
    """Yield the cells of the service type. Raises BadInput if a label differs."""
    book.sheet("Note").row_of(_UNIT)
    sheet = book.sheet("Time Series")
    head = sheet.row_of(_LABELS[0])
    columns = [sheet.column_of(label, head) for label in _LABELS]
    codes, names = columns[1], columns[2]
    periods = range(columns[-1] + 1, len(sheet.rows[head]))
    for column in periods or (columns[-1] + 1,):
        if not _PERIOD.fullmatch(sheet.cell(head, column)):
            raise sheet.moved("a year or a quarter", head, column, sheet.cell(head, column))
        sheet.expect_next_period(head, column)
    for row in range(sheet.row_of(_CODE, codes, head + 1), len(sheet.rows)):
        if sheet.cell(row, codes) != _CODE:
            continue
        sheet.expect(row, names, _NAME)
        labels = tuple(sheet.cell(row, column) for column in columns)
        for column in periods:
            period = sheet.cell(head, column)
            yield Cell((*labels, period), sheet.name, row, column, sheet.cell(row, column))


SOURCE = Source(
    name="ons_services_by_partner",
    tables=(observations,),
    required=(observations,),
    # Four times a year, on a Wednesday late in the month after the next quarter has begun, at 9:30:
    # 24 October 2018, 23 January, 24 April, 24 July 2019.
    calendar=Calendar(
        timezone="Europe/London",
        poll_cron="45 9 * 1,4,7,10 1-5",
        deadline_cron="0 12 8 2,5,8,11 *",
        freshness_window=timedelta(days=40),
    ),
    layouts=(
        WorkbookLayout(
            "ONS trade in services by partner country",
            observations,
            sheets=("Note", "Time Series"),
            parse=_cells,
        ),
        CsvLayout(
            "ONS trade in services by partner country, Time Series as CSV",
            observations,
            header_row=1,
            header=_LABELS,
            cell_headers=_PERIOD,
            cell_header_column="period",
            keep=f"service_type_code = '{_CODE}'",
        ),
    ),
)
