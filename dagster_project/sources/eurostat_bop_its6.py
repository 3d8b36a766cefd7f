"""Eurostat, international trade in services by partner (`bop_its6_det`): item SH and its parts.

Annual, since 2010, per member state (and some candidates): in million euro, and in millions of
national currency. Codes: two letters as in ISO 3166-1 except `EL` (Greece) and `UK`; aggregates
such as `EU27_2020`, `EXT_EU27_2020`, `WRL_REST` (the world as seen by the reporter).

Flags follow the number in TSV and are in `OBS_FLAG` in SDMX-CSV; since January 2025 confidentiality
has its own column, `CONF_STATUS`, and the former flags `s`, `z` and `c` are `i`, `m` and `C`. Older
releases keep theirs, so both are read.

No real file of this dataset has been seen yet: its structure follows the publisher's API.
"""

from datetime import timedelta

from dagster_project.layouts import SdmxDataset
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

DATASET = SdmxDataset(
    "Eurostat, bop_its6_det",
    "eurostat_bop_its6__observations",
    dimensions=("freq", "currency", "bop_item", "stk_flow", "partner", "geo"),
    attributes=("OBS_FLAG", "CONF_STATUS", "DATAFLOW", "LAST UPDATE"),
    keep="bop_item like 'SH%'",
    closed=True,
)

SOURCE = Source(
    name="eurostat_bop_its6",
    tables=(DATASET.table,),
    required=(DATASET.table,),
    # New years come in January to March, revisions of all years in autumn.
    calendar=Calendar(
        timezone="Europe/Luxembourg",
        poll_cron="30 11 * 1-3,9-11 1",
        deadline_cron="0 12 15 4,11 *",
        freshness_window=timedelta(days=150),
    ),
    layouts=DATASET.layouts,
)
