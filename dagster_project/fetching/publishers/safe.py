"""SAFE, China's State Administration of Foreign Exchange: a workbook behind a page with a stable
URL.

The workbook's name is a hash that changes with each release; its URL contains the day.
"""

import re
from datetime import date, datetime
from html.parser import HTMLParser

from dagster_project.fetching.fetcher import Fetcher, PublicationDate, Session

_PAGE = "/safe/2019/0627/13519.html"
_DAY = re.compile(r"/file/(\d{8})/")


class _Links(HTMLParser):
    """Collects links to workbooks, with their texts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        href = given.get("href") or ""
        if tag == "a" and re.search(r"\.xlsx?(\?|$)", href):
            self._open = href
            self.found[href] = self.found.get(href, "") + (given.get("title") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[self._open] += data


def _fetch(session: Session) -> PublicationDate | None:
    page = f"{session.base_url}{_PAGE}"
    links = _Links()
    links.feed(session.page(page))
    named = [href for href, name in links.found.items() if "BPM6" in name]
    candidates = named or list(links.found)
    if not candidates:
        raise session.unexpected(page, "a link to a workbook", "none")
    # If there are several, take the newest.
    url = session.link(page, max(candidates, key=_day_in))
    session.file(url, url.split("?")[0].rsplit("/", 1)[-1], "workbook")
    day = _day_in(url)
    if not day:
        return None
    try:
        return PublicationDate(_as_date(day), "the day in the workbook's address")
    except ValueError:
        raise session.unexpected(page, "a day in the workbook's address", url) from None


def _day_in(href: str) -> str:
    found = _DAY.search(href)
    return found[1] if found else ""


def _as_date(day: str) -> date:
    return datetime.strptime(day, "%Y%m%d").date()


FETCHERS = (
    Fetcher(
        source="safe_bop_time_series",
        base_url="https://www.safe.gov.cn",
        fetch=_fetch,
        dated_by="the day in the workbook's address",
        further_hosts=("www.safe.gov.cn", "m.safe.gov.cn"),
    ),
)
