"""Bank of Japan: the time-series API, which needs no key, and the flat files.

The flat files keep their URL when the content changes and do not state when they were published:
the Last-Modified header does. The page that links to them shows a day for each.

In a response of the API, `STATUS` is the success or error, `NEXTPOSITION` the start of the next
page, `LAST_UPDATE` the publication date of each series and `DATE` the time of the response.
"""

from datetime import date, datetime

from dagster_project.fetching.fetcher import Fetcher, PublicationDate, Session
from dagster_project.sources.boj_balance_of_payments import NET_CHARGES

_PAGES = 50
_OK = 200


def _fetch(session: Session) -> PublicationDate:
    address = (
        f"{session.base_url}/getDataCode?db=BP01&code={NET_CHARGES}"
        "&format=json&lang=en&startDate=199601"
    )
    url, updated = address, []
    for page in range(1, _PAGES + 1):
        path = session.file(url, f"{NET_CHARGES}_page_{page}.json", "json")
        document = session.parsed(url, path.read_bytes())
        try:
            if document["STATUS"] != _OK:
                raise session.problem(
                    "the API returned an error",
                    url,
                    expected=f"STATUS {_OK}",
                    found=f"STATUS {document['STATUS']}: {document.get('MESSAGE')}",
                    fix="fetch again later; if it persists, look for a new code of the series",
                )
            updated += [_day(series["LAST_UPDATE"]) for series in document["RESULTSET"]]
            following = document.get("NEXTPOSITION")
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise session.unexpected(
                url,
                "STATUS, NEXTPOSITION and RESULTSET with LAST_UPDATE",
                f"{type(error).__name__}: {error}",
            ) from None
        if not following:
            if not updated:
                raise session.unexpected(url, f"the series {NET_CHARGES}", "no series")
            return PublicationDate(max(updated), "LAST_UPDATE of the series")
        url = f"{address}&startPosition={following}"
    raise session.unexpected(address, f"at most {_PAGES} pages", "more")


def _fetch_flat_files(session: Session) -> None:
    for name in ("bp_m_en.zip", "regbp_q_en.zip"):
        session.file(f"{session.base_url}/{name}", name, "zip")


def _day(stamp: int | str) -> date:
    return datetime.strptime(str(stamp), "%Y%m%d").date()


FETCHERS = (
    Fetcher(
        source="boj_balance_of_payments",
        base_url="https://www.stat-search.boj.or.jp/api/v1",
        fetch=_fetch,
        dated_by="LAST_UPDATE of the series",
        volatile=frozenset({"DATE"}),
    ),
    Fetcher(
        source="boj_flat_files",
        base_url="https://www.stat-search.boj.or.jp/info",
        fetch=_fetch_flat_files,
        dated_by="the Last-Modified header",
    ),
)
