"""Bank of Japan, balance of payments (BPM6): net charges for the use of intellectual property.

Monthly from 1996, in 100 million yen. One series of the time-series API: the balance. The Bank's
flat files (`boj_flat_files`) also have receipts and payments, and industrial property and copyright
separately. The API's response is JSON, or CSV below eleven lines that repeat the request. A month
without a figure is `null` in both; CSV may leave it empty.

No real file has been seen yet: the layouts follow users of the API.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from dagster_project.layouts import CsvLayout, JsonDocumentLayout, RawTable
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

NET_CHARGES = "BPBP6JYNSN906"

observations = RawTable(
    "boj_balance_of_payments__observations",
    (
        "series_code",
        "name_of_time_series",
        "unit",
        "frequency",
        "category",
        "last_update",
        "survey_date",
        "value",
    ),
)

_SERIES = ("SERIES_CODE", "NAME_OF_TIME_SERIES", "UNIT", "FREQUENCY", "CATEGORY", "LAST_UPDATE")


def _series(document: Any) -> Iterator[tuple[str | None, ...]]:
    """Yield the months of the series."""
    for series in document["RESULTSET"]:
        if series["SERIES_CODE"] == NET_CHARGES:
            labels = tuple(series[name] for name in _SERIES)
            dates, values = series["VALUES"]["SURVEY_DATES"], series["VALUES"]["VALUES"]
            for day, value in zip(dates, values, strict=True):
                yield (*labels, day, value)


SOURCE = Source(
    name="boj_balance_of_payments",
    tables=(observations,),
    required=(observations,),
    # Every month, about the sixth to tenth working day, at 8:50, with revisions of earlier months.
    calendar=Calendar(
        timezone="Asia/Tokyo",
        poll_cron="15 9 7-18 * *",
        deadline_cron="0 12 20 * *",
        freshness_window=timedelta(days=15),
    ),
    layouts=(
        JsonDocumentLayout("Bank of Japan API, JSON", observations, _series),
        CsvLayout(
            "Bank of Japan API, CSV",
            observations,
            header_row=12,
            header=(*_SERIES, "SURVEY_DATES", "VALUES"),
            keep=f"series_code = '{NET_CHARGES}'",
        ),
    ),
)
