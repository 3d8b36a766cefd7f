"""All known files of the publishers, in one landing folder, through the whole run.

The files are not part of the repository; where the folders with them are not there, these tests
skip. The bundled texts come by themselves.
"""

from decimal import Decimal

import pytest

from dagster_project.pipeline.run import PUBLISHED_WITH_REJECTIONS
from tests.support import REAL_FILES, REAL_FILES_MORE, TEXTS, Scenario

ONE_COUNTRY = "worldbank_wdi 2022-12-22"


def flows(union: Scenario, source: str, key: str, columns: str = "receipts_usd_m") -> list[tuple]:
    """Flows of one source; the key is `reporter period` and codes other than the totals."""
    reporter, period, *codes = key.split()
    given = {"partner": "WLD"} | dict(code.split("=") for code in codes)
    dimensions = ("partner", "sector", "category", "affiliation", "region")
    where = "".join(f" and {name}_code = '{given.get(name, '_T')}'" for name in dimensions)
    return union.warehouse.published(
        f"select {columns} from core.fct_royalty_flows where source = '{source}'"
        f" and reporter_code = '{reporter}' and period = '{period}'{where}"
    )


def test_every_release_is_accepted_except_the_download_of_one_country(union: Scenario) -> None:
    assert union.outcome.code == PUBLISHED_WITH_REJECTIONS
    landed = [
        path
        for folder in (REAL_FILES, REAL_FILES_MORE, TEXTS.parent)
        for path in folder.glob("*/*-*-*/")
    ]
    lines = union.outcome.output.splitlines()
    assert sum("  accepted " in line for line in lines) == len(landed) - 1 + 2  # two packaged
    (rejected,) = [line for line in lines if "REJECTED" in line]
    assert ONE_COUNTRY in rejected
    assert "1 of 266 economies" in rejected


def test_no_code_is_unmapped(union: Scenario) -> None:
    dimensions = ("reporter", "partner", "sector", "category", "affiliation", "region")
    codes = ", ".join(f"{dimension}_code" for dimension in dimensions)
    assert (
        union.warehouse.published(
            f"select source, count(*) from core.fct_royalty_observations where '_U' in ({codes})"
            " group by source"
        )
        == []
    )


def test_no_gate_failed_except_that_of_the_rejected_release(union: Scenario) -> None:
    assert union.warehouse.published(
        "select distinct table_name, release_date::varchar from audit.gate_results where failed > 0"
    ) == [("raw.worldbank_wdi__observations", "2022-12-22")]


@pytest.mark.parametrize(
    ("key", "receipts", "payments"),
    [("CHN 2022", "13306.96100381", "44461.43463096")],
)
def test_safe_to_the_last_digit(union: Scenario, key: str, receipts: str, payments: str) -> None:
    ((found_receipts, found_payments),) = flows(
        union, "safe_bop_time_series", key, "receipts_usd_m, payments_usd_m"
    )
    assert (found_receipts, found_payments) == (Decimal(receipts), Decimal(payments))


def test_china_in_the_system_of_the_wto(union: Scenario) -> None:
    columns = "receipts_usd_m, payments_usd_m, balance_usd_m, receipts_status"
    ((receipts, payments, balance, status),) = flows(union, "wto_stats", "CHN 2022", columns)
    assert (receipts, payments) == (Decimal("13539.241561"), Decimal("44425.806252"))
    assert round(balance, 2) == Decimal("-30886.56")
    assert status == "A"
    ((*_, status),) = flows(union, "wto_stats", "CHN 2023", columns)
    assert status == "E"


def test_growth_of_estimates_is_an_estimate(union: Scenario) -> None:
    """Eleven months of the file have the flag E in each of MX_GR and MM_GR."""
    assert union.warehouse.published(
        "select flow, obs_status, count(*) from core.fct_stated_rates where source = 'wto_stats'"
        " group by all order by all"
    ) == [
        ("payments", "A", 81),
        ("payments", "E", 11),
        ("receipts", "A", 81),
        ("receipts", "E", 11),
    ]


def test_the_partners_of_the_newer_edition_cover_all_but_what_is_withheld(union: Scenario) -> None:
    """Of the CSV: countries 15,953 + rests of areas 2,640 of 18,618, and 11,554 + 794 of 12,504."""
    assert union.warehouse.published(
        "select flow, parts_withheld, coverage_pct from marts.mart_coverage"
        " where source = 'ons_services_by_partner' and period = '2020' and dimension = 'partner'"
        " order by flow"
    ) == [("payments", 19, 98.7524), ("receipts", 6, 99.8657)]


def test_the_deficit_of_31_billion_is_confirmed_by_the_system_that_the_text_used(
    union: Scenario,
) -> None:
    assert union.warehouse.published(
        "select verdict from marts.mart_published_claims where source = 'wto_stats'"
        " and claim_id = 'csis-2025-chn-2022-balance'"
    ) == [("confirmed",)]


def test_two_editions_of_the_ons_and_two_unions(union: Scenario) -> None:
    query = (
        "select release_date::varchar, partner_code, count(*) from core.fct_royalty_observations"
        " where source = 'ons_services_by_partner' and partner_code in ('EU27', 'EU28')"
        " group by all order by all"
    )
    found = union.warehouse.published(query)
    assert [row[:2] for row in found] == [("2021-07-12", "EU28"), ("2022-01-28", "EU27")]
    assert union.warehouse.published(
        "select release_date::varchar, value::int from core.fct_royalty_observations"
        " where source = 'ons_services_by_partner' and flow = 'receipts' and period = '2019'"
        " and partner_code = 'WLD' order by 1"
    ) == [("2021-07-12", 19098), ("2022-01-28", 20638)]


def test_the_founding_texts_are_there(union: Scenario) -> None:
    assert union.warehouse.published(
        "select count(*) from audit.releases"
        " where source = 'published_figures' and status = 'accepted'"
    ) == [(len(list(TEXTS.iterdir())),)]
