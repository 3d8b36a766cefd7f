"""UK Office for National Statistics: workbooks behind dataset pages.

Each page has a JSON description (`/data`). A dataset's lists its editions; an edition's names the
file to download and its release date.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dagster_project.fetching.fetcher import Fetcher, PublicationDate, Session

_EDITIONS = 30
_WORKBOOK = re.compile(r".*\.xlsx?", re.IGNORECASE)


def _fetcher(source: str, *pages: str) -> Fetcher:
    return Fetcher(
        source=source,
        base_url="https://www.ons.gov.uk",
        fetch=_fetch(pages),
        dated_by="the release date of the dataset page",
    )


def _fetch(pages: tuple[str, ...]) -> Callable[[Session], PublicationDate]:
    def fetch(session: Session) -> PublicationDate:
        released = [_fetch_newest_edition(session, page) for page in pages]
        return PublicationDate(max(released), "the release date of the dataset page")

    return fetch


def _fetch_newest_edition(session: Session, page: str) -> date:
    """Download the workbook of the latest edition and return its release date."""
    url = f"{session.base_url}{page}/data"
    dataset = session.json(url)
    try:
        uris = [edition["uri"] for edition in dataset.get("datasets", [])]
        if len(uris) > _EDITIONS:
            raise session.unexpected(url, f"at most {_EDITIONS} editions", str(len(uris)))
        editions = [session.json(f"{session.base_url}{uri}/data") for uri in uris] or [dataset]
        newest = max(editions, key=_released)
        uri, files = newest["uri"], [download["file"] for download in newest["downloads"]]
        released = _released(newest)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise session.unexpected(
            url,
            "a dataset with editions, each with uri, downloads and releaseDate",
            f"{type(error).__name__}: {error}",
        ) from None
    workbooks = [file for file in files if _WORKBOOK.fullmatch(file)]
    if len(workbooks) != 1:
        raise session.unexpected(url, "one workbook to download", ", ".join(files) or "none")
    path = workbooks[0] if workbooks[0].startswith("/") else f"{uri}/{workbooks[0]}"
    session.file(f"{session.base_url}/file?uri={path}", path.rsplit("/", 1)[-1], "workbook")
    return released


def _released(edition: dict[str, Any]) -> date:
    """The day in London: the page gives midnight there as 23:00 of the day before in summer."""
    moment = datetime.fromisoformat(edition["description"]["releaseDate"])
    return moment.astimezone(ZoneInfo("Europe/London")).date()


_ECONOMY = "/economy/nationalaccounts/balanceofpayments/datasets"
_TRADE = "/businessindustryandtrade/internationaltrade/datasets"
_BY_INDUSTRY = f"{_ECONOMY}/uktradeinservicesbyindustrycountryandservicetype"

FETCHERS = (
    _fetcher("ons_trade_by_industry", f"{_BY_INDUSTRY}exports", f"{_BY_INDUSTRY}imports"),
    _fetcher(
        "ons_services_by_partner",
        f"{_TRADE}/uktradeinservicesservicetypebypartnercountrynonseasonallyadjusted",
    ),
    _fetcher("ons_itis", f"{_TRADE}/internationaltradeinservicesreferencetables"),
    # The page is named after its first edition, but holds the newest one.
    _fetcher("ons_pink_book", f"{_ECONOMY}/3tradeinservicesthepinkbook2016"),
)
