"""European Central Bank: all euro reference rates since 1999 in one zip, which grows daily."""

import csv
import re
from datetime import date

from dagster_project.fetching.archive import MemberFilter, unzip
from dagster_project.fetching.fetcher import Fetcher, PublicationDate, Session

_MEMBER = "eurofxref-hist.csv"
_LIMIT = 64 << 20


def _fetch(session: Session) -> PublicationDate:
    url = f"{session.base_url}/eurofxref-hist.zip"
    packed = session.file(url, "eurofxref-hist.zip", "zip")
    limits = MemberFilter(re.compile(re.escape(_MEMBER)), _LIMIT)
    (table,) = unzip(packed, f"ecb_reference_rates: {url}", session.scratch, limits)
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        records = csv.reader(file)
        next(records, None)
        newest = next(records, [""])[:1]
    try:
        return PublicationDate(date.fromisoformat(newest[0]), "the file's newest day")
    except (ValueError, IndexError):
        raise session.unexpected(
            url, "a date in the first row below the header", repr(newest)
        ) from None


FETCHERS = (
    Fetcher(
        source="ecb_reference_rates",
        base_url="https://www.ecb.europa.eu/stats/eurofxref",
        fetch=_fetch,
        dated_by="the file's newest day",
        max_bytes=_LIMIT,
    ),
)
