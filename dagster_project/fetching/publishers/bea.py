"""US Bureau of Economic Analysis: the API's dataset IntlServTrade, which needs a key.

The API refuses `ALL` for TypeOfService and AreaOrCountry at once, so a release is one JSON file per
type of service, each with all areas and years. It is a separate source, `bea_intl_serv_trade`:
`bea_trade_by_area` reads a workbook that a person saves from BEA's interactive tables, and that has
no URL.

The responses echo the request, key included: the key is removed before a file lands. They have no
date of publication, so a release is dated by the day of its download, and says so; a response that
differs only in its time makes no release.
"""

from dagster_project.base.errors import BadInput
from dagster_project.fetching.fetcher import Fetcher, Session
from dagster_project.sources.bea_intl_serv_trade import (
    AFFILIATIONS,
    TRADE_DIRECTIONS,
    TYPES_OF_SERVICE,
)


def _fetch(session: Session) -> None:
    key = session.settings.bea_api_key
    if key is None or not key.get_secret_value():
        raise BadInput(
            "no key for the BEA API",
            where=f"bea_intl_serv_trade: {session.base_url}",
            expected="a key in ROYALTY_BEA_API_KEY",
            found="none",
            fix="get a free key from BEA (https://apps.bea.gov/api/signup), and set it in the"
            " environment",
        )
    for service in TYPES_OF_SERVICE:
        url = (
            f"{session.base_url}/?method=GetData&DatasetName=IntlServTrade&TypeOfService={service}"
            f"&TradeDirection={','.join(TRADE_DIRECTIONS)}&Affiliation={','.join(AFFILIATIONS)}"
            "&AreaOrCountry=ALL&Year=ALL&ResultFormat=JSON"
        )
        path = session.file(url, f"{service}.json", "json", secret_params={"UserID": key})
        document = session.parsed(url, path.read_bytes())
        try:
            results = document["BEAAPI"].get("Results") or {}
            problem = document["BEAAPI"].get("Error") or results.get("Error")
        except (TypeError, KeyError, AttributeError):
            raise session.unexpected(url, "BEAAPI with Results", repr(document)[:200]) from None
        if problem:
            raise session.problem(
                "the API returned an error",
                url,
                expected="BEAAPI.Results.Data",
                found=str(problem),
                fix="check the key; if it is right, check whether BEA has renamed the type of"
                " service, and correct dagster_project/sources/bea_intl_serv_trade.py",
            )


FETCHERS = (
    Fetcher(
        source="bea_intl_serv_trade",
        base_url="https://apps.bea.gov/api/data",
        fetch=_fetch,
        dated_by="the day of the download: the API states no publication date",
        keys=("bea_api_key",),
        volatile=frozenset({"UTCProductionTime", "Request"}),
    ),
)
