"""World Trade Organization, WTO Stats: trade in commercial services, item SH and its parts.

Annual, quarterly and monthly exports and imports in million US dollars, of all reporters, for the
annual ones also by partner; item S266 of the older manual (BPM5). Growth rates of the monthly
series are listed under the same items, and only the unit distinguishes them. Months add up to their
quarter; quarters do not always add up to the year, which is compiled separately. Three forms of the
same records:

- the download of stats.wto.org: a person's selection, with every field quoted;
- the bulk file `services_annual_dataset`: annual, all reporters and partners, other headers, no
  text values;
- the JSON of the timeseries API, in which economies have no ISO 3166 alpha-3 code.

The CSV files are in Windows-1252. Copies may be in UTF-8, or have `?` for the dash in indicator
names, so nothing depends on names. Some alpha-3 codes are not in ISO 3166 (`CHT`, `ROM`), and
groups have only numbers; `000` is the world.

National statistics as reported, with estimates for the latest year: they rank after each
publisher's own figures and after the World Bank's (`precedence` 25), which come from the IMF, and
before BaTIS, which is completed and reconciled.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from dagster_project.layouts import CsvLayout, JsonDocumentLayout, RawTable, ZipLayout
from dagster_project.sources.release_calendar import Calendar
from dagster_project.sources.source import Source

BPM5_ITEM = "S266"
_KEEP = f"classification_code like 'BOP%' and (item_code like 'SH%' or item_code = '{BPM5_ITEM}')"
# The columns of the raw table, and their names in the three formats; the API lacks two.
_FIELDS = {
    "indicator_category": ("Indicator Category", "IndicatorCategory", "IndicatorCategory"),
    "indicator_code": ("Indicator Code", "IndicatorCode", "IndicatorCode"),
    "indicator": ("Indicator", "Indicator", "Indicator"),
    "reporter_code": ("Reporting Economy Code", "ReporterCode", "ReportingEconomyCode"),
    "reporter_iso3": ("Reporting Economy ISO3A Code", "ReporterISO3A", ""),
    "reporter": ("Reporting Economy", "Reporter", "ReportingEconomy"),
    "partner_code": ("Partner Economy Code", "PartnerCode", "PartnerEconomyCode"),
    "partner_iso3": ("Partner Economy ISO3A Code", "PartnerISO3A", ""),
    "partner": ("Partner Economy", "Partner", "PartnerEconomy"),
    "classification_code": (
        "Product/Sector Classification Code",
        "ProductClassificationCode",
        "ProductOrSectorClassificationCode",
    ),
    "classification": (
        "Product/Sector Classification",
        "ProductClassification",
        "ProductOrSectorClassification",
    ),
    "item_code": ("Product/Sector Code", "ProductCode", "ProductOrSectorCode"),
    "item": ("Product/Sector", "Product", "ProductOrSector"),
    "period_code": ("Period Code", "PeriodCode", "PeriodCode"),
    "period": ("Period", "Period", "Period"),
    "frequency_code": ("Frequency Code", "FrequencyCode", "FrequencyCode"),
    "frequency": ("Frequency", "Frequency", "Frequency"),
    "unit_code": ("Unit Code", "UnitCode", "UnitCode"),
    "unit": ("Unit", "Unit", "Unit"),
    "year": ("Year", "Year", "Year"),
    "value_flag_code": ("Value Flag Code", "ValueFlagCode", "ValueFlagCode"),
    "value_flag": ("Value Flag", "ValueFlag", "ValueFlag"),
    "text_value": ("Text Value", "", "TextValue"),
    "value": ("Value", "Value", "Value"),
}

observations = RawTable("wto_stats__observations", tuple(_FIELDS))


def _csv(name: str, form: int) -> CsvLayout:
    return CsvLayout(
        name,
        observations,
        header_row=1,
        header=tuple(names[form] for names in _FIELDS.values() if names[form]),
        keep=_KEEP,
        partial=True,
        absent=tuple(column for column, names in _FIELDS.items() if not names[form]),
        fallback_encoding="cp1252",
        natural_key=(
            "indicator_code",
            "reporter_code",
            "partner_code",
            "item_code",
            "year",
            "period_code",
        ),
    )


def _records(document: Any) -> Iterator[tuple[str | None, ...]]:
    """Yield the records on intellectual property of one response of the API."""
    for record in document["Dataset"]:
        item = record["ProductOrSectorCode"]
        if item.startswith("SH") or item == BPM5_ITEM:
            yield tuple(
                record[names[2]] or None if names[2] else None for names in _FIELDS.values()
            )


_files = (_csv("WTO Stats, download", 0), _csv("WTO Stats, bulk file of services", 1))

SOURCE = Source(
    name="wto_stats",
    tables=(observations,),
    required=(observations,),
    # Annual figures in spring, revised in autumn (the bulk file of 22 April 2026).
    calendar=Calendar(
        timezone="Europe/Zurich",
        poll_cron="30 5 * 4,5,10,11 1",
        deadline_cron="0 12 31 5 *",
        freshness_window=timedelta(days=62),
    ),
    layouts=(
        *_files,
        *(ZipLayout(layout, re.compile(r"[^/]*\.csv", re.I)) for layout in _files),
        JsonDocumentLayout("WTO timeseries API, JSON", observations, _records),
    ),
)
