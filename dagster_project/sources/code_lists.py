"""Codes and names that Python and the models share: read from the dbt seeds and `pycountry`."""

import csv
from datetime import date
from functools import cache
from typing import Any

import pycountry

from dagster_project.base.settings import PROJECT_ROOT

SEEDS = PROJECT_ROOT / "dbt" / "seeds"
_VALIDITY = ("valid_from", "valid_to")


@cache
def seed(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a dbt seed, as text."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def code_lists(release: date | None = None) -> dict[str, list[Any]]:
    """Return each list of codes that raw may hold, by its name in suites (`$PARAMETER`).

    release: use only rows of the mapping seeds that are valid for this release; all without it.
    Besides the codes, `<source>_economy_labels` lists the rows of `economy_code_map` with a label
    to compare.
    """
    economies = {country.alpha_3 for country in pycountry.countries}
    economies |= {row["economy_code"] for row in seed("economies")}
    alpha_2 = {country.alpha_2 for country in pycountry.countries}
    alpha_2 |= {row["iso2"] for row in seed("economies") if row["iso2"]}
    m49 = {country.numeric for country in pycountry.countries}
    m49 |= {row["m49"] for row in seed("economies") if row["m49"]}
    mapped = {row["source_code"] for row in seed("economy_code_map") if _holds(row, release)}
    return {
        "economy_codes": sorted(economies | mapped),
        "economy_alpha_2_codes": sorted(alpha_2),
        "economy_m49_codes": sorted(m49),
        "sector_codes": sorted(row["sector_code"] for row in seed("sectors")),
        "category_codes": sorted(row["category_code"] for row in seed("categories")),
        "affiliation_codes": sorted(row["affiliation_code"] for row in seed("affiliations")),
        "region_codes": sorted({"_T"} | {division.code for division in pycountry.subdivisions}),
        "concepts": sorted(row["concept"] for row in seed("concepts")),
        "currency_codes": sorted(currency.alpha_3 for currency in pycountry.currencies),
        **_mapped("economy", release),
        **_mapped("sector", release),
        **_mapped("currency", release),
        **_mapped("category", release),
        **_labels(),
    }


def _validity(row: dict[str, str]) -> tuple[date, date]:
    """Return the first release for which a mapping row is valid, and the first after it."""
    first, after = (row[name] and date.fromisoformat(row[name]) for name in _VALIDITY)
    return first or date.min, after or date.max


def _holds(row: dict[str, str], release: date | None) -> bool:
    first, after = _validity(row)
    return release is None or first <= release < after


def _labels() -> dict[str, list[tuple[str, str, str, date, date]]]:
    """Return, by source, code, economy, label text and validity of rows with a label.

    For all releases: the message about a wrong label needs the right row among them.
    """
    labels: dict[str, list[tuple[str, str, str, date, date]]] = {}
    for row in seed("economy_code_map"):
        if row["label_contains"]:
            labels.setdefault(f"{row['source']}_economy_labels", []).append(
                (row["source_code"], row["economy_code"], row["label_contains"], *_validity(row))
            )
    return labels


def _mapped(dimension: str, release: date | None) -> dict[str, list[str]]:
    """Return the codes of each source in a mapping seed, as `<source>_<dimension>_codes`.

    For sources whose codes look like the dimension's but mean something else.
    """
    codes: dict[str, list[str]] = {}
    for row in seed(f"{dimension}_code_map"):
        known = codes.setdefault(f"{row['source']}_{dimension}_codes", [])
        if _holds(row, release):
            known.append(row["source_code"])
    return codes
