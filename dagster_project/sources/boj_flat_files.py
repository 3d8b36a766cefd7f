"""Bank of Japan, flat files: charges for the use of intellectual property, in 100 million yen.

Two zip archives with one CSV each. `bp_m`: receipts, payments and net with the world, monthly from
1996: the total, industrial property and copyright. The Bank restated the months before 2014 on
BPM6. `regbp_q`: receipts and payments by area and country, quarterly from 2014. Areas overlap with
countries and with each other.

The publisher's file is wide: four columns without a header (code, dataset, structure, unit), then
a column per period up to future ones, which are empty. In quarterly files the period is the year
and the number of the quarter (201404); reshaped copies may have the quarter's last month instead
(201412). The R package BOJ makes long files of these: one record per cell.

`_en` files are in English (ASCII), `_jp` files in Japanese (Shift_JIS). A series is found by its
structure, which reads `Services/…/<the item>/<its part or an area>/<flow>` in both. Series codes
would be shorter, but only that of the net total (BPBP6JYNSN906) is known. The item's English name
comes from tables of the Ministry of Finance, which publishes the statistics with the Bank; of real
files only the Japanese structure has been seen.
"""

import re
from datetime import timedelta

from dagster_project.layouts import CsvLayout, RawTable, ZipLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

observations = RawTable(
    "boj_flat_files__observations", ("code", "description", "structure", "unit"), by_cell=True
)

_OURS = (
    "structure like '%知的財産権等使用料%'"
    " or lower(structure) like '%use of intellectual property%'"
)
_PERIOD = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])")
_CSV = re.compile(r"[^/]*\.csv", re.IGNORECASE)

_FORMS = (
    CsvLayout(
        "Bank of Japan flat file",
        observations,
        header_row=1,
        header=("", "", "", ""),
        cell_headers=_PERIOD,
        keep=_OURS,
        fallback_encoding="cp932",
    ),
    CsvLayout(
        "Bank of Japan flat file in long form",
        observations,
        header_row=1,
        header=("code", "desc", "struc", "unit", "date", "obs_value"),
        keep=_OURS,
        fallback_encoding="cp932",
    ),
)

SOURCE = Source(
    name="boj_flat_files",
    tables=(observations,),
    required=(observations,),
    # Like boj_balance_of_payments: monthly, about the sixth to tenth working day, at 8:50. The
    # regional file follows five months after its quarter.
    calendar=Calendar(
        timezone="Asia/Tokyo",
        poll_cron="15 9 7-18 * *",
        deadline_cron="0 12 20 * *",
        freshness_window=timedelta(days=15),
    ),
    layouts=(*_FORMS, *(ZipLayout(form, _CSV) for form in _FORMS)),
)
