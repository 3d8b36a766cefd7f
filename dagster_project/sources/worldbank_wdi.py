"""World Bank, World Development Indicators: charges for the use of intellectual property.

Formats found in public repositories and on the publisher's site:

- the download of a topic, of one country or of one indicator: a wide CSV, one column per year,
  below four records of preamble, with a byte order mark, a comma at the end of each record, and
  further indicators than ours; zipped, or unpacked with two metadata files. In the metadata of
  countries, `TableName` comes before `SpecialNotes` in downloads of one country;
- all indicators, `WDICSV.csv` (formerly `WDIData.csv`) in `WDI_CSV.zip`: the same without preamble,
  beside files of metadata that are not read. A bare table of one indicator, saved by a spreadsheet
  program (`1.37833E+11`), looks like it;
- exports of DataBank, as a workbook (sheet `Data`; its cells have no addresses) and as CSV. Series
  are rows, with a column `2015 [YR2015]` for each year that was asked for, or they are columns,
  called `<name> [<code>]`, with the year in `Time`. Two CSVs of December 2015 have `Series Name`
  first, one with quotes and one without; a workbook of 2025 has `Country Name` first, one of 2023
  has `Time`. `..` is missing. Three blank rows, `Data from database: …` and `Last Updated: …` are
  at the end, unless a person deleted them;
- the API serves the same cells as JSON, a page per file.

Values are plain US dollars; an empty cell (in JSON: null) is missing. In each format `_column`
begins with the year.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from dagster_project.layouts import (
    Cell,
    CsvLayout,
    CsvSheetLayout,
    JsonDocumentLayout,
    RawTable,
    Sheet,
    Workbook,
    WorkbookLayout,
    ZipLayout,
)
from dagster_project.sources.release_calendar import Calendar
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
    key=("country_code",),
)
indicators = RawTable(
    "worldbank_wdi__indicators",
    ("indicator_code", "indicator_name", "source_note", "source_organization"),
    key=("indicator_code",),
)

_SERIES_HEADER = ("Country Name", "Country Code", "Indicator Name", "Indicator Code")
_YEAR = re.compile(r"(19|20)\d\d")
_OURS = f"indicator_code in ('{RECEIPTS}', '{PAYMENTS}')"


def _api_page(document: Any) -> Iterator[tuple[str | None, ...]]:
    """Yield the cells of one page: [page metadata, cells].

    Income groups have no ISO3 code there, so they keep the API's two-letter code (`XD`), which
    economy_code_map maps to ours.
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


_BY_SERIES = ("Country Name", "Country Code", "Series Name", "Series Code")
_BY_TIME = ("Time", "Country Name", "Country Code")
_BY_TIME_SERIES = re.compile(r"(.+) \[(B[XM]\.GSR\.ROYL\.CD)\]")
_DATABANK_YEAR = re.compile(r"((?:19|20)\d\d)(?: \[YR\1\])?")


def _databank_book(book: Workbook) -> Iterator[Cell]:
    yield from _databank(book.sheet("Data"))


def _databank(sheet: Sheet) -> Iterator[Cell]:
    """Yield the cells of an export of DataBank. Raises BadInput if a label is missing."""
    by_time = any(name.strip() == _BY_TIME[0] for name in sheet.rows[0])
    yield from (_by_time if by_time else _by_series)(sheet)


def _by_series(sheet: Sheet) -> Iterator[Cell]:
    columns = [sheet.column_of(name, 0) for name in _BY_SERIES]
    years = [at for at in range(len(sheet.rows[0])) if sheet.cell(0, at)[:1].isdigit()]
    for at in years or [len(_BY_SERIES)]:
        if not _DATABANK_YEAR.fullmatch(sheet.cell(0, at)):
            raise sheet.moved("2015 [YR2015]", 0, at, sheet.cell(0, at))
    for row in range(1, len(sheet.rows)):
        labels = tuple(sheet.cell(row, column) for column in columns)
        if labels[-1] in (RECEIPTS, PAYMENTS):
            for at in years:
                yield Cell(labels, sheet.name, row, at, sheet.cell(row, at), sheet.cell(0, at))


def _by_time(sheet: Sheet) -> Iterator[Cell]:
    time, name, code = (sheet.column_of(label, 0) for label in _BY_TIME)
    width = range(len(sheet.rows[0]))
    series = [(at, _BY_TIME_SERIES.fullmatch(sheet.cell(0, at))) for at in width]
    for row in range(1, len(sheet.rows)):
        year = sheet.cell(row, time)
        if not any(map(str.strip, sheet.rows[row][1:])):
            continue  # the footer
        if not _YEAR.fullmatch(year):
            raise sheet.moved("a year", row, time, year)
        for at, label in series:
            if label:
                labels = (sheet.cell(row, name), sheet.cell(row, code), *label.groups())
                header = f"{year} {sheet.cell(0, at)}"
                yield Cell(labels, sheet.name, row, at, sheet.cell(row, at), header)


_DOWNLOAD = CsvLayout(
    "World Bank bulk download, data file",
    observations,
    header_row=5,
    header=_SERIES_HEADER,
    cell_headers=_YEAR,
    consecutive=True,
    keep=_OURS,
)
_WITHOUT_PREAMBLE = CsvLayout(
    "World Bank table without preamble",
    observations,
    header_row=1,
    header=_SERIES_HEADER,
    cell_headers=_YEAR,
    consecutive=True,
    keep=_OURS,
)
_DATABANK_CSV = tuple(
    CsvSheetLayout("World Bank DataBank, CSV", observations, header, _databank)
    for header in (_BY_SERIES, _BY_TIME)
)

SOURCE = Source(
    name="worldbank_wdi",
    tables=(observations, countries, indicators),
    required=(observations,),
    companions=re.compile(r"Metadata|Definition and Source|^WDI(country|series|footnote)", re.I),
    # Several updates a year; those of April, July, September or October, and December bring new
    # balance-of-payments figures; the day is not announced. The bulk file is rebuilt overnight in
    # Washington, so it is fetched once a week, all year round.
    calendar=Calendar(
        timezone="America/New_York",
        poll_cron="0 6 * * 2",
        deadline_cron="0 12 1 2,5,8,11 *",
        freshness_window=timedelta(days=85),
    ),
    layouts=(
        _DOWNLOAD,
        _WITHOUT_PREAMBLE,
        ZipLayout(_DOWNLOAD, re.compile(r"API_.*\.csv")),
        ZipLayout(_WITHOUT_PREAMBLE, re.compile(r"WDI(?:CSV|Data)\.csv")),
        WorkbookLayout("World Bank DataBank, workbook", observations, ("Data",), _databank_book),
        *_DATABANK_CSV,
        *(ZipLayout(layout, re.compile(r".*_Data\.csv")) for layout in _DATABANK_CSV),
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
