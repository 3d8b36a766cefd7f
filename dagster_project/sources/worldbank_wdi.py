"""World Bank, World Development Indicators: charges for the use of intellectual property.

Served as a wide CSV, one column a year. Two layouts so far: the bulk download of a topic (byte
order mark, four records of preamble, a comma at the end of each record, further indicators than
ours), and a bare table of one indicator. Values are plain US dollars; an empty cell is missing.
"""

import re

from dagster_project.layouts import CsvLayout, RawTable
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

SOURCE = Source(
    name="worldbank_wdi",
    tables=(observations, countries, indicators),
    required=(observations,),
    layouts=(
        CsvLayout(
            "World Bank bulk download, data file",
            observations,
            header_row=5,
            header=_SERIES_HEADER,
            cell_headers=_YEAR,
            trailing_empty=True,
            keep=_OURS,
        ),
        CsvLayout(
            "World Bank table of one indicator, without preamble",
            observations,
            header_row=1,
            header=_SERIES_HEADER,
            cell_headers=_YEAR,
            keep=_OURS,
        ),
        CsvLayout(
            "World Bank bulk download, country metadata",
            countries,
            header_row=1,
            header=("Country Code", "Region", "IncomeGroup", "SpecialNotes", "TableName"),
            trailing_empty=True,
        ),
        CsvLayout(
            "World Bank bulk download, indicator metadata",
            indicators,
            header_row=1,
            header=("INDICATOR_CODE", "INDICATOR_NAME", "SOURCE_NOTE", "SOURCE_ORGANIZATION"),
            trailing_empty=True,
        ),
    ),
)
