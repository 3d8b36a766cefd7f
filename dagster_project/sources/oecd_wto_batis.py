"""OECD and WTO, Balanced Trade in Services (BaTIS), BPM6 edition: item SH and its parts.

Bulk CSV, million US dollars, one row per reporter, partner, flow, item and year, with three values:
as reported (mostly missing), adjusted for consistency and completed by estimates (final), and with
exports reconciled with the partner's imports (balanced). Two mirrors serve files of one name: the
WTO's has ISO 3166 alpha-2 codes and flows X and M, the OECD's alpha-3 codes, flows EXP and IMP,
another name for one column, and sometimes a byte order mark.

Codes are text: `NA` is Namibia, `888` Kosovo, `WL` the world, `ROW` the part of the world that is
not allocated to an economy. In `Reported_value`, `NA` is a missing value, as written by R.
"""

import re
from datetime import timedelta

from dagster_project.layouts import CsvLayout, Layout, RawTable, ZipLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

observations = RawTable(
    "oecd_wto_batis__observations",
    (
        "reporter",
        "type_reporter",
        "partner",
        "type_partner",
        "flow",
        "item_code",
        "type_item",
        "year",
        "reported_value",
        "final_value",
        "methodology",
        "balanced_value",
    ),
)


def _layout(mirror: str, methodology: str, keep: str, must_contain: str) -> CsvLayout:
    return CsvLayout(
        f"BaTIS, {mirror} mirror",
        observations,
        header_row=1,
        header=(
            "Reporter",
            "type_Reporter",
            "Partner",
            "type_Partner",
            "Flow",
            "Item_code",
            "type_Item",
            "Year",
            "Reported_value",
            "Final_value",
            methodology,
            "Balanced_value",
        ),
        keep=keep,
        natural_key=("reporter", "partner", "flow", "item_code", "year"),
        must_contain=must_contain,
    )


def _layouts(keep: str, must_contain: str) -> tuple[Layout, ...]:
    mirrors = (
        _layout("WTO", "Final_value_methodology", keep, must_contain),
        _layout("OECD", "Methodology", keep, must_contain),
    )
    zipped = (ZipLayout(mirror, re.compile(r"[^/]*\.csv", re.I)) for mirror in mirrors)
    return (*mirrors, *zipped)


SOURCE = Source(
    name="oecd_wto_batis",
    tables=(observations,),
    required=(observations,),
    # Once a year, in winter (December 2025). The bulk file is large, and downloaded only if the
    # server reports a change.
    calendar=Calendar(
        timezone="Europe/Zurich",
        poll_cron="0 4 * 1-3,10-12 6",
        deadline_cron="0 12 1 3 *",
        freshness_window=timedelta(days=150),
    ),
    layouts=_layouts("item_code like 'SH%'", "SH"),
    all_items=_layouts("true", ""),  # the models use only intellectual property either way
)
