"""The tables for experts against the publishers' own files: preference, ranks, growth, comparators.

Every expected number is computed here from a raw file, or written down from one. The files are not
part of the repository; where the folder with them is not there, these tests skip.
"""

from decimal import Decimal
from functools import cache

import openpyxl
import pytest

from tests.support import REAL_FILES, Scenario

DIMENSIONS = ("partner", "sector", "category", "region", "affiliation")


@cache
def ons(direction: str, year: int) -> dict[str, int | None]:
    """Millions of pounds by the ONS's code of a partner; None where withheld."""
    (path,) = (REAL_FILES / "ons_services_by_partner" / "2021-07-12").glob("*.xlsx")
    rows = openpyxl.load_workbook(path, read_only=True)["Time Series"].iter_rows(values_only=True)
    at = next(rows).index(year)
    return {
        str(row[3]): int(row[at]) if isinstance(row[at], (int, float)) else None
        for row in rows
        if row[0] == direction and row[2] == "Intellectual property"
    }


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_preferred_rows_of_a_breakdown_have_one_source_and_release(
    real: Scenario, dimension: str
) -> None:
    counts = real.warehouse.published(
        "select count(distinct (source, release_date)) filter (preferred)"
        f" from marts.mart_balance_by_{dimension} group by reporter_code, period, concept"
    )
    assert {count for (count,) in counts} == {1}


def test_the_uk_of_2019_is_that_of_the_newer_release(real: Scenario) -> None:
    # Before: 16,689 of the Pink Book of October 2020, so that receipts rose by 5.3 % to 2020.
    earlier, later = ons("Exports", 2019)["W1"], ons("Exports", 2020)["W1"]
    assert (earlier, later) == (19_098, 17_473)
    assert earlier
    assert later
    found = real.warehouse.published(
        "select period, receipts, receipts_growth_stated_pct, receipts_growth_pct, source"
        " from marts.mart_balance_by_partner where reporter_code = 'GBR' and concept = 'BPM6_SH'"
        " and partner_code = 'WLD' and period in ('2019', '2020') and preferred order by period"
    )
    assert [row[1] for row in found] == [earlier, later]
    assert {row[4] for row in found} == {"ons_services_by_partner"}
    assert found[1][2] == pytest.approx(100 * (later / earlier - 1), abs=0.0001)  # -8.5 % in pounds
    assert round(found[1][3], 1) == -8.0  # in dollars
    assert real.warehouse.published(
        "select receipts from marts.mart_world_ranking where reporter_code = 'GBR'"
        " and concept = 'BPM6_SH' and period = '2019' and preferred"
    ) == [(earlier,)]


def test_partners_of_the_united_states_are_shares_of_the_total_beside_them(real: Scenario) -> None:
    # Before: the total of the World Bank, 118,874, beside partners of BEA, which has 114,819.
    found = {
        code: rest
        for code, *rest in real.warehouse.published(
            "select partner_code, source, receipts, share_of_receipts_pct"
            " from marts.mart_balance_by_partner where reporter_code = 'USA' and preferred"
            " and period = '2018' and concept = 'BPM6_SH' and partner_code in ('WLD', 'IRL')"
        )
    }
    assert found["WLD"] == ["bea_trade_by_area", 114_819, 100]
    source, receipts, share = found["IRL"]
    assert source == "bea_trade_by_area"
    assert share == pytest.approx(float(100 * receipts / 114_819), abs=0.0001)
    # Where there is no breakdown, the complete statement: BEA's table has no payments.
    assert real.warehouse.published(
        "select source, receipts, payments from marts.mart_world_ranking"
        " where reporter_code = 'USA' and period = '2018' and concept = 'BPM6_SH' and preferred"
    ) == [("worldbank_wdi", 118_874, 43_932)]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_shares_are_of_the_total_of_the_same_release(real: Scenario, dimension: str) -> None:
    key = "reporter_code, period, concept, source, release_date"
    assert (
        real.warehouse.published(
            f"select part.* from marts.mart_balance_by_{dimension} as part"
            f" left join marts.mart_balance_by_{dimension} as whole"
            f" on ({', '.join(f'part.{k}' for k in key.split(', '))})"
            f" = ({', '.join(f'whole.{k}' for k in key.split(', '))})"
            " and whole.member_kind = 'total'"
            " where abs(part.share_of_receipts_pct"
            " - 100 * part.receipts_usd_m / nullif(whole.receipts_usd_m, 0)::double) > 0.0001"
            " or part.share_of_receipts_pct is not null and whole.receipts_usd_m is null"
        )
        == []
    )


def test_luxembourg_is_not_the_largest_payee_of_the_uk(real: Scenario) -> None:
    # Before: first, with the United States and 36 other countries withheld.
    stated = ons("Imports", 2017)
    total = stated["W1"]
    assert stated["US"] is None
    assert stated["LU"] == 540
    assert total == 9_902
    assert real.warehouse.published(
        "select partner_code, payments, payments_status, rank_by_payments, payments_ranked_among"
        " from marts.mart_balance_by_partner where reporter_code = 'GBR' and period = '2017'"
        " and source = 'ons_services_by_partner' and partner_code in ('LUX', 'USA') order by 1"
    ) == [("LUX", 540, "A", None, None), ("USA", None, "Q", None, None)]


@pytest.mark.parametrize("flow", ["receipts", "payments"])
def test_no_rank_is_below_what_the_stated_partners_leave(real: Scenario, flow: str) -> None:
    found = real.warehouse.published(
        f"select period, sum(case when member_kind = 'total' then {flow}"
        f" when member_kind in ('country', 'residual') then -{flow} end),"
        f" min({flow}) filter (rank_by_{flow} is not null), count(rank_by_{flow}),"
        f" max({flow}_ranked_among), count({flow}) filter (member_kind = 'country'),"
        f" max({flow}) filter (member_kind = 'country' and rank_by_{flow} is null)"
        " from marts.mart_balance_by_partner where reporter_code = 'GBR' and frequency = 'A'"
        " and source = 'ons_services_by_partner' group by period order by period"
    )
    assert [row[0] for row in found] == ["2016", "2017", "2018", "2019", "2020"]
    for _, left, smallest, ranks, among, stated, largest_without in found:
        assert largest_without < left
        assert ranks == 0 or (smallest >= left and among == stated)
    assert any(ranks for _, _, _, ranks, *_ in found)


def test_one_province_is_not_first_among_provinces(real: Scenario) -> None:
    assert real.warehouse.published(
        "select rank_by_receipts, receipts_ranked_among, member_kind"
        " from marts.mart_balance_by_region where region_code = 'CN-GD' and period = '2018-S1'"
    ) == [(None, None, "Province")]


def test_one_source_says_who_is_first_in_the_world(real: Scenario) -> None:
    # Before: five sources and more in 2018, one with China and a deficit of 30.2 billion.
    first = "1 in (rank_by_receipts, rank_by_payments, rank_by_balance)"
    assert real.warehouse.published(
        "select reporter_code, source from marts.mart_world_ranking"
        f" where period = '2018' and {first} order by reporter_code"
    ) == [("IRL", "worldbank_wdi"), ("USA", "worldbank_wdi")]
    assert real.warehouse.published(
        "select min(least(receipts_ranked_among, payments_ranked_among, balance_ranked_among))"
        " >= 50, max(receipts_ranked_among) filter (period = '2018') from marts.mart_world_ranking"
    ) == [(True, 150)]


def test_more_than_127_is_not_127(real: Scenario) -> None:
    assert real.warehouse.published(
        "select receipts, receipts_comparator, payments_comparator"
        " from marts.mart_world_ranking where reporter_code = 'USA' and period = '2022'"
    ) == [(Decimal(127_000), ">", "=")]


def test_growth_of_aggregates_is_of_the_same_reporters(real: Scenario) -> None:
    # Before: payments of the world -22.66 %, of the European Union -45.47 %: Ireland is blank.
    found = {
        code: rest
        for code, *rest in real.warehouse.published(
            "select reporter_code, round(payments_growth_pct, 2), reporters_counted_payments"
            " from marts.mart_balance_by_partner where reporter_code in ('WLD', 'EU27')"
            " and period = '2020' and source = 'worldbank_wdi'"
        )
    }
    assert found == {"WLD": [-0.77, 102], "EU27": [-1.08, 25]}


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_no_growth_crosses_a_break_or_a_change_of_reporters(real: Scenario, dimension: str) -> None:
    assert real.warehouse.published(
        f"select count(*) from marts.mart_balance_by_{dimension}"
        " where (receipts_status = 'B' and receipts_growth_pct is not null)"
        " or (payments_status = 'B' and payments_growth_stated_pct is not null)"
        " or (reporter_kind = 'aggregate' and balance_change_usd_m is not null)"
        " or (reporter_kind = 'aggregate' and receipts_growth_pct is not null"
        " and reporters_counted_receipts is null)"
    ) == [(0,)]


@pytest.mark.parametrize(("flow", "year"), [("receipts", 2018), ("payments", 2020)])
def test_growth_in_pounds_is_not_that_in_dollars(real: Scenario, flow: str, year: int) -> None:
    direction = {"receipts": "Exports", "payments": "Imports"}[flow]
    earlier, later = ons(direction, year - 1)["DE"], ons(direction, year)["DE"]
    assert earlier
    assert later
    ((stated, dollars, value),) = real.warehouse.published(
        f"select {flow}_growth_stated_pct, {flow}_growth_pct, {flow}"
        " from marts.mart_balance_by_partner where source = 'ons_services_by_partner'"
        f" and period = '{year}' and partner_code = 'DEU'"
    )
    assert value == later
    assert stated == pytest.approx(100 * (later / earlier - 1), abs=0.0001)
    assert dollars != stated


def test_no_rank_below_what_the_stated_members_leave(union: Scenario) -> None:
    # Before: SH2 first of 2 with 529 of 5,563; C third of 5 beside RTS's 3,912.
    published = union.warehouse.published
    assert published(
        "select category_code, receipts_usd_m::int, rank_by_receipts"
        " from marts.mart_balance_by_category where source = 'wto_stats' and reporter_code = 'CHN'"
        " and period = '2018' and category_code in ('SH2', 'SH4') order by 1"
    ) == [("SH2", 529, None), ("SH4", 132, None)]
    assert published(
        "select receipts_usd_m::int, rank_by_receipts from marts.mart_balance_by_sector"
        " where source = 'ons_itis' and period = '2019' and sector_code = 'C'"
    ) == [(2312, None)]


def test_categories_that_contain_another_are_not_ranked(union: Scenario) -> None:
    # Before: SH4 first in 1999, with SH1 and SH3 in it.
    assert union.warehouse.published(
        "select category_code, receipts_status, rank_by_receipts"
        " from marts.mart_balance_by_category where source = 'ons_pink_book' and period = '1999'"
        " and category_code in ('SH1', 'SH2', 'SH3', 'SH4') order by 1"
    ) == [("SH1", "L", None), ("SH2", "A", None), ("SH3", "L", None), ("SH4", "A", None)]
