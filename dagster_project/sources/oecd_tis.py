"""OECD, balance of payments: trade in services by partner (`DSD_BOP@DF_TIS`), item SH.

Annual and quarterly, per reporter and partner (`W` is the world), credit, debit and balance, in US
dollars at exchange rates (`USD_EXC`) and in national currency (`XDC`). The parents of an item (`S`
services, `CA` current account) are returned even if only SH is requested: they are left out here,
as are seasonally adjusted series, which have the same key and other numbers.

The file `csvfilewithlabels` has a column of names next to each column of codes. Attributes
(`UNIT_MULT`, `OBS_STATUS`, `CONF_STATUS`, `CURRENCY`) may be attached at any level.

No real file of this dataset has been seen yet: its structure follows the publisher's API.
"""

from datetime import timedelta

from dagster_project.layouts import SdmxDataset
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

DATASET = SdmxDataset(
    "OECD, DF_TIS",
    "oecd_tis__observations",
    dimensions=(
        "REF_AREA",
        "COUNTERPART_AREA",
        "MEASURE",
        "ACCOUNTING_ENTRY",
        "FS_ENTRY",
        "FREQ",
        "UNIT_MEASURE",
        "ADJUSTMENT",
    ),
    attributes=("OBS_STATUS", "CONF_STATUS", "UNIT_MULT", "CURRENCY", "DATAFLOW"),
    # Seasonally or calendar adjusted, both, or trend: SDMX list CL_ADJUSTMENT.
    keep="measure like 'SH%' and adjustment not in ('S', 'W', 'Y', 'T', 'C', 'K', 'L', 'R', 'X')",
)

SOURCE = Source(
    name="oecd_tis",
    tables=(DATASET.table,),
    required=(DATASET.table,),
    # Countries are updated one by one, all year.
    calendar=Calendar(
        timezone="Europe/Paris",
        poll_cron="0 6 * * 6",
        deadline_cron="0 12 15 1,4,7,10 *",
        freshness_window=timedelta(days=85),
    ),
    layouts=DATASET.layouts,
)
