"""World Trade Organization: WTO Stats, as a bulk file without a key or through the timeseries API.

The bulk file is annual, with all reporters and partners, and dated by the Last-Modified header.
The API (`ROYALTY_WTO_STATS_THROUGH=api`) also has quarters, months and growth; a release is its
JSON, some files per indicator. It states neither the publication date nor how many records a
response lacks, and where it has none the response has no body: so the count is requested first.

The key goes into a header: in the URL it would be in every log.
"""

import re

from dagster_project.base.errors import BadInput
from dagster_project.fetching.fetcher import Fetcher, Session
from dagster_project.sources.wto_stats import BPM5_ITEM

SOURCE = "wto_stats"
API = "https://api.wto.org/timeseries/v1"
PAGE_RECORDS = 50_000
_PAGES = 100
_GIGA = 1 << 30

# The items of the indicators: those of EBOPS 2010, and for the older manual its one.
INDICATORS = {
    **dict.fromkeys(("ITS_CS_AX5", "ITS_CS_AM5"), BPM5_ITEM),
    **dict.fromkeys(
        (
            *("ITS_CS_AX6", "ITS_CS_AM6", "ITS_CS_QX", "ITS_CS_QM"),
            *("ITS_CS_MX", "ITS_CS_MM", "ITS_CS_MX_GR", "ITS_CS_MM_GR"),
        ),
        "SH",
    ),
}


def _fetch(session: Session) -> None:
    if session.settings.wto_stats_through == "api":
        return _fetch_pages(session)
    url = f"{session.base_url}/services_annual_dataset.zip"
    session.archive(url, re.compile(r"services_annual_dataset.*\.csv", re.IGNORECASE))
    return None


def _fetch_pages(session: Session) -> None:
    base = session.settings.fetch_base_urls.get(SOURCE, API).rstrip("/")
    key = session.settings.wto_api_key
    if key is None or not key.get_secret_value():
        raise BadInput(
            "no key for the WTO's timeseries API",
            where=f"{SOURCE}: {base}",
            expected="a key in ROYALTY_WTO_API_KEY",
            found="none",
            fix="get a free key from the WTO (https://apiportal.wto.org), and set it in the"
            " environment; or fetch the bulk file, with ROYALTY_WTO_STATS_THROUGH=bulk",
        )
    headers = {"Ocp-Apim-Subscription-Key": key}
    for indicator, item in INDICATORS.items():
        selection = f"i={indicator}&r=all&p=all&ps=all&pc={item}&spc=true"
        count = session.number(f"{base}/data_count?{selection}", secret_headers=headers)
        if count > PAGE_RECORDS * _PAGES:
            raise session.unexpected(
                f"{base}/data_count?{selection}",
                f"at most {PAGE_RECORDS * _PAGES:,} records",
                f"{count:,}",
            )
        found = 0
        for page, first in enumerate(range(0, count, PAGE_RECORDS), 1):
            url = (
                f"{base}/data?{selection}&fmt=json&mode=full&lang=1&meta=false"
                f"&off={first}&max={PAGE_RECORDS}"
            )
            path = session.file(
                url, f"{indicator}_page_{page}.json", "json", secret_headers=headers
            )
            document = session.parsed(url, path.read_bytes())
            try:
                found += len(document["Dataset"])
            except (TypeError, KeyError):
                raise session.unexpected(url, "a list Dataset", repr(document)[:200]) from None
        if found != count:
            raise session.unexpected(
                f"{base}/data?{selection}", f"{count:,} records, as counted", f"{found:,}"
            )


FETCHERS = (
    Fetcher(
        source=SOURCE,
        base_url="https://stats.wto.org/assets/UserGuide",
        fetch=_fetch,
        dated_by="the Last-Modified header; the day of the download where it comes from the API",
        further_hosts=("api.wto.org",),
        keys=("wto_api_key",),
        max_unpacked_bytes=8 * _GIGA,
    ),
)
