"""US Bureau of Economic Analysis: the API's dataset IntlServTrade, which wants a key.

The API refuses `ALL` for TypeOfService and AreaOrCountry at once, so a release is one JSON file a
type of service, each with all areas and years. It is a source of its own, `bea_intl_serv_trade`:
`bea_trade_by_area` reads a workbook that a person saves from BEA's interactive tables, and that has
no address.

The answers echo the request, key included: the key is taken out before a file lands. They bear no
date of publication, so a release is dated by the day of its download, and says so; an answer that
differs in nothing but its time makes no release.
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
            fix="ask BEA for a key (it is free: https://apps.bea.gov/api/signup), and set it in the"
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
                "an answer that is an error",
                url,
                expected="BEAAPI.Results.Data",
                found=str(problem),
                fix="check the key; if it is right, look whether BEA has renamed the type of"
                " service, and correct dagster_project/sources/bea_intl_serv_trade.py",
            )


FETCHERS = (
    Fetcher(
        source="bea_intl_serv_trade",
        base_url="https://apps.bea.gov/api/data",
        fetch=_fetch,
        dated_by="the day of the download: the API does not say when it published",
        keys=("bea_api_key",),
        volatile=frozenset({"UTCProductionTime", "Request"}),
    ),
)
