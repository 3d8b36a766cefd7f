"""World Bank, World Development Indicators: charges for the use of intellectual property.

Served as a wide CSV, one column a year, in two layouts so far: the bulk download of a topic (byte
order mark, four records of preamble, a comma at the end of each record, further indicators than
ours), and a bare table of one indicator. The API serves the same cells as JSON, a page a file.
Values are plain US dollars; an empty cell (in JSON: null) is missing.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from dagster_project.layouts import CsvLayout, JsonDocumentLayout, RawTable
from dagster_project.sources.calendar import Calendar
from dagster_project.sources.source import Source

RECEIPTS, PAYMENTS = "BX.GSR.ROYL.CD", "BM.GSR.ROYL.CD"

observations = RawTable(
    "worldbank_wdi__observations",
    ("country_name", "country_code", "indicator_name", "indicator_code"),
    by_cell=True,
)
countries = RawTable(
    "worldbank_wdi__countries",
    ("country_code", "region", "income_group", "special_notes", "table_name"),
)
indicators = RawTable(
    "worldbank_wdi__indicators",
    ("indicator_code", "indicator_name", "source_note", "source_organization"),
)

_SERIES_HEADER = ("Country Name", "Country Code", "Indicator Name", "Indicator Code")
_YEAR = re.compile(r"(19|20)\d\d")
_OURS = f"indicator_code in ('{RECEIPTS}', '{PAYMENTS}')"


def _api_page(document: Any) -> Iterator[tuple[str | None, ...]]:
    """Yield the cells of one page: [what the page is, the cells].

    The income groups have no ISO3 code there, so they stand under the two-letter code that the API
    knows them by (`XD`); economy_code_map leads it to ours.
    """
    if set(document[0]) >= {"page", "pages", "lastupdated"}:
        for cell in document[1]:
            code = cell["countryiso3code"] or cell["country"]["id"]
            if not _YEAR.fullmatch(cell["date"]):
                raise ValueError(f"the year {cell['date']!r}")
            if cell["indicator"]["id"] in (RECEIPTS, PAYMENTS):
                yield (
                    cell["country"]["value"],
                    code,
                    cell["indicator"]["value"],
                    cell["indicator"]["id"],
                    cell["date"],
                    cell["value"],
                )


SOURCE = Source(
    name="worldbank_wdi",
    tables=(observations, countries, indicators),
    required=(observations,),
    # Several updates a year, of which those of April, July, September or October, and December are
    # the ones that bring new balance-of-payments figures; the day is not announced. The bulk file
    # is made anew overnight in Washington, so it is asked for once a week, all the year round.
    calendar=Calendar(
        timezone="America/New_York",
        ask="0 6 * * 2",
        due="0 12 1 2,5,8,11 *",
        within=timedelta(days=85),
    ),
    layouts=(
        CsvLayout(
            "World Bank bulk download, data file",
            observations,
            header_row=5,
            header=_SERIES_HEADER,
            cell_headers=_YEAR,
            consecutive=True,
            keep=_OURS,
        ),
        CsvLayout(
            "World Bank table of one indicator, without preamble",
            observations,
            header_row=1,
            header=_SERIES_HEADER,
            cell_headers=_YEAR,
            consecutive=True,
            keep=_OURS,
        ),
        CsvLayout(
            "World Bank bulk download, country metadata",
            countries,
            header_row=1,
            header=("Country Code", "Region", "IncomeGroup", "SpecialNotes", "TableName"),
        ),
        CsvLayout(
            "World Bank bulk download, indicator metadata",
            indicators,
            header_row=1,
            header=("INDICATOR_CODE", "INDICATOR_NAME", "SOURCE_NOTE", "SOURCE_ORGANIZATION"),
        ),
        JsonDocumentLayout("World Bank API, a page of an indicator", observations, _api_page),
    ),
)
