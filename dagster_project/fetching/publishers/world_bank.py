"""World Bank: the bulk download of topic 14, which holds both royalty indicators.

A release is the three files of the zip; through the API (`ROYALTY_WORLDBANK_WDI_THROUGH=api`), it
is the JSON pages of the two indicators, without the metadata of countries.
"""

import csv
import re
from datetime import date
from itertools import islice
from pathlib import Path

from dagster_project.fetching.fetcher import Fetcher, PublicationDate, Session
from dagster_project.sources.worldbank_wdi import PAYMENTS, RECEIPTS

_FILES = re.compile(r"(Metadata_Country_|Metadata_Indicator_)?API_14_DS2_en_csv_v2_\d+\.csv")
_PAGES = 50


def _fetch(session: Session) -> PublicationDate:
    if session.settings.worldbank_wdi_through == "api":
        return _fetch_pages(session)
    url = f"{session.base_url}/en/topic/14?downloadformat=csv"
    files = session.archive(url, _FILES)
    if len(files) != 3:  # noqa: PLR2004 - the data, the countries, the indicators
        names = ", ".join(path.name for path in files)
        raise session.unexpected(url, "the data file and two metadata files", names)
    data = next(path for path in files if path.name.startswith("API_"))
    return PublicationDate(_last_updated(session, url, data), "'Last Updated Date' in the file")


def _last_updated(session: Session, url: str, data: Path) -> date:
    with data.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for record in islice(csv.reader(file), 4):
            if record[:1] == ["Last Updated Date"] and len(record) > 1:
                return _day(session, url, record[1])
    raise session.unexpected(url, "'Last Updated Date' among the first four records", "none")


def _fetch_pages(session: Session) -> PublicationDate:
    updated = []
    for indicator in (RECEIPTS, PAYMENTS):
        page, pages = 1, 1
        while page <= pages:
            url = (
                f"{session.base_url}/country/all/indicator/{indicator}"
                f"?format=json&per_page=20000&page={page}"
            )
            path = session.file(url, f"{indicator}_page_{page}.json", "json")
            document = session.parsed(url, path.read_bytes())
            try:
                pages = int(document[0]["pages"])
                updated.append(_day(session, url, document[0]["lastupdated"]))
            except (TypeError, KeyError, IndexError, ValueError):
                raise session.unexpected(
                    url, "[{pages, lastupdated, ...}, [...]]", repr(document)[:200]
                ) from None
            if not 1 <= pages <= _PAGES:
                raise session.unexpected(url, f"1 to {_PAGES} pages", str(pages))
            page += 1
    return PublicationDate(max(updated), "'lastupdated' in the answer")


def _day(session: Session, url: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        raise session.unexpected(url, "a date YYYY-MM-DD", repr(text)) from None


FETCHERS = (
    Fetcher(
        source="worldbank_wdi",
        base_url="https://api.worldbank.org/v2",
        fetch=_fetch,
        dated_by="the file's 'Last Updated Date'",
        further_hosts=("databank.worldbank.org", "databankfiles.worldbank.org"),
    ),
)
