"""US Bureau of Economic Analysis, API dataset IntlServTrade: charges by partner and affiliation.

One JSON document per type of service. Million US dollars (UNIT_MULT 6). Marks in DataValue as in
BEA's tables: `(D)` suppressed, `(*)` not zero but less than half a million, `n.a.` not available.
Fetched are item SH and its four EBOPS parts, by the three affiliations that other sources also
state: BEA divides the affiliated ones further (`UsParents`, `UsAffiliates`).

No real response has been seen yet: the layout follows BEA's guide and users of the API.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from dagster_project.layouts import JsonDocumentLayout, RawTable
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

TYPES_OF_SERVICE = (
    "ChargesForTheUseOfIpNie",
    "CipLicensesFranchisesTrademarks",
    "CipLicensesOutcomesResearchAndDev",
    "CipLicensesCompSoftware",
    "CipLicensesAudVis",
)
TRADE_DIRECTIONS = ("Exports", "Imports", "Balance")
AFFILIATIONS = ("AllAffiliations", "Affiliated", "Unaffiliated")

observations = RawTable(
    "bea_intl_serv_trade__observations",
    (
        "type_of_service",
        "trade_direction",
        "affiliation",
        "area_or_country",
        "year",
        "time_series_id",
        "time_series_description",
        "cl_unit",
        "unit_mult",
        "data_value",
        "note_ref",
    ),
)

_REQUIRED = ("TypeOfService", "TradeDirection", "Affiliation", "AreaOrCountry", "Year", "DataValue")
_OTHERS = ("TimeSeriesId", "TimeSeriesDescription", "CL_UNIT", "UNIT_MULT", "NoteRef")


def _records(document: Any) -> Iterator[tuple[str | None, ...]]:
    """Yield the records of one response; BEA writes a single one without a list."""
    data = document["BEAAPI"]["Results"]["Data"]
    for record in data if isinstance(data, list) else [data]:
        service, direction, affiliation, area, year, value = (record[name] for name in _REQUIRED)
        series, description, unit, multiplier, note = (record.get(name) for name in _OTHERS)
        yield (
            *(service, direction, affiliation, area, year),
            *(series, description, unit, multiplier, value, note),
        )


SOURCE = Source(
    name="bea_intl_serv_trade",
    tables=(observations,),
    required=(observations,),
    # Once a year, with or after the annual update of the international accounts in June, at 8:30.
    # The API states no publication date, so each revision becomes a release: it is not polled
    # outside that season.
    calendar=Calendar(
        timezone="America/New_York",
        poll_cron="0 11 * 6-8 3",
        deadline_cron="0 12 31 8 *",
        freshness_window=timedelta(days=92),
    ),
    layouts=(JsonDocumentLayout("BEA API, IntlServTrade", observations, _records),),
)
