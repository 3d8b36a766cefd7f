"""Codes and names that Python and the models share: read from the dbt seeds and `pycountry`."""

import csv
from functools import cache

import pycountry

from dagster_project.settings import PROJECT_ROOT

SEEDS = PROJECT_ROOT / "dbt" / "seeds"


@cache
def seed(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a dbt seed, as text."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def code_lists() -> dict[str, list[str]]:
    """Return, by the name a suite calls it (`$PARAMETER`), each list of codes that raw may hold."""
    economies = {country.alpha_3 for country in pycountry.countries}
    economies |= {row["economy_code"] for row in seed("economies")}
    alpha_2 = {country.alpha_2 for country in pycountry.countries}
    alpha_2 |= {row["iso2"] for row in seed("economies") if row["iso2"]}
    mapped = {row["source_code"] for row in seed("economy_code_map")}
    return {
        "economy_codes": sorted(economies | mapped),
        "economy_alpha_2_codes": sorted(alpha_2),
        "sector_codes": sorted(row["sector_code"] for row in seed("sectors")),
        "category_codes": sorted(row["category_code"] for row in seed("categories")),
        "affiliation_codes": sorted(row["affiliation_code"] for row in seed("affiliations")),
        "region_codes": sorted({"_T"} | {division.code for division in pycountry.subdivisions}),
        "concepts": sorted(row["concept"] for row in seed("concepts")),
        "currency_codes": sorted(currency.alpha_3 for currency in pycountry.currencies),
        **_mapped("economy"),
        **_mapped("sector"),
        **_mapped("currency"),
        **_mapped("category"),
    }


def _mapped(dimension: str) -> dict[str, list[str]]:
    """Return as `<source>_<dimension>_codes` the codes of each source that a mapping seed knows.

    For sources whose codes look like those of the dimension and mean something else.
    """
    codes: dict[str, list[str]] = {}
    for row in seed(f"{dimension}_code_map"):
        codes.setdefault(f"{row['source']}_{dimension}_codes", []).append(row["source_code"])
    return codes
