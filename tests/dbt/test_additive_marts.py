"""The tables that add up: their contract, a broken copy of each kind, and numbers by hand."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.dbt.additive_contract import TABLES, violations
from tests.support import Scenario

# (what is wrong, the change, the rule that says so)
BROKEN = [
    (
        "a total among its parts",
        "insert into marts.flows_by_partner select * replace ('WLD' as partner_code, 'member' as"
        " member_kind, 10 as receipts, 10 as receipts_usd_m) from marts.flows_by_partner limit 1",
        "receipts does not add up to the stated total",
    ),
    (
        "an aggregate among countries, with the rest adjusted",
        "update marts.flows_by_partner set partner_code = 'EU28' where rowid ="
        " (select min(rowid) from marts.flows_by_partner where member_kind = 'member')",
        "a total, an aggregate or a detail among the members",
    ),
    (
        "a second source beside the first",
        "insert into marts.flows_by_country select * replace ('other' as source)"
        " from marts.flows_by_country limit 1",
        "two sources, releases or currencies beside each other",
    ),
    (
        "a country twice",
        "insert into marts.flows_by_country from marts.flows_by_country limit 1",
        "a key occurs twice",
    ),
    (
        "members of another release than their total",
        "update marts.flows_by_category set release_date = release_date - 1"
        " where member_kind = 'member'",
        "two sources, releases or currencies beside each other",
    ),
    (
        "a breakdown without its rest",
        "delete from marts.flows_by_category where member_kind = 'unallocated'",
        "not exactly one row for the rest of a total",
    ),
    (
        "the last digit of a member",
        "update marts.flows_by_category set receipts_usd_m = receipts_usd_m + 0.000001"
        " where rowid = (select min(rowid) from marts.flows_by_category"
        " where receipts_usd_m > 0 and member_kind = 'member' and share_of_receipts_pct > 0)",
        "receipts_usd_m does not add up to the stated total",
    ),
    (
        "the last digit of a country",
        "update marts.flows_by_country set payments = payments - 0.000001 where payments > 0",
        "a row is not the total that its source states",
    ),
    (
        "a country left out",
        "delete from marts.flows_by_country where reporter_code = 'USA'",
        "a country that a source states is not there",
    ),
    (
        "a world total among countries",
        "insert into marts.flows_by_country select * replace ('WLD' as reporter_code)"
        " from marts.flows_by_country limit 1",
        "a reporter is no country",
    ),
    (
        "a quarter among years",
        "update marts.flows_by_country set period = '2018-Q1'",
        "a period of another frequency",
    ),
    (
        "a member as another source states it",
        "update marts.flows_by_category set receipts = receipts + case member_kind"
        " when 'unallocated' then -1 else 1 end where receipts is not null and category_code in"
        " ('_X', (select min(category_code) from marts.flows_by_category where receipts > 0))",
        "a member is not as its source states it",
    ),
    (
        "two levels",
        "insert into marts.flows_by_sector select * replace ('C10' as sector_code, 'division' as"
        " sector_level) from marts.flows_by_sector where sector_level = 'section' limit 1;"
        "insert into marts.flows_by_sector select * replace ('C' as sector_code, 'section' as"
        " sector_level) from marts.flows_by_sector where sector_level = 'division' limit 1",
        "two levels of a classification beside each other",
    ),
    (
        "first in the world among one",
        "update marts.flows_by_country set rank_by_receipts = 1, receipts_ranked_among = 1",
        "receipts: a rank among fewer than 50 countries, not by the amounts, or below a blank",
    ),
    (
        "a rank that a withheld member could be above",
        "update marts.flows_by_partner_half_yearly set receipts_usd_m = 1, receipts = 1,"
        " rank_by_receipts = 1, receipts_ranked_among = 2 where rowid = (select min(members.rowid)"
        " from marts.flows_by_partner_half_yearly as members"
        " inner join marts.flows_by_partner_half_yearly as rest"
        " on rest.reporter_code = members.reporter_code and rest.period = members.period"
        " and rest.member_kind = 'unallocated' and rest.receipts_usd_m > 1"
        " where members.member_kind = 'member')",
        "receipts: a rank although a withheld or unlisted member could be above",
    ),
    (
        "a number of withheld members that is not counted",
        "update marts.flows_by_partner set withheld_receipts = 7",
        "receipts: the number withheld is not on the row for the rest",
    ),
    (
        "a continuation of another source",
        "insert into marts.flows_by_country select * replace ('2099' as period, 2099 as year,"
        " 'other' as source, false as is_break_in_series) from marts.flows_by_country limit 1",
        "another source, release or currency than the last row, and no break",
    ),
    (
        "a total that is not there",
        "update marts.flows_by_partner set has_total = not has_total",
        "has_total is not whether the flows of members have a total",
    ),
    (
        "a number of missing balances that is not counted",
        "update marts.flows_by_partner set members_without_balance = 7",
        "the number of members without a balance is not on the row for the rest",
    ),
    (
        "shares of another total",
        "update marts.flows_by_category set share_of_receipts_pct = share_of_receipts_pct / 2",
        "receipts: shares do not add up to 100",
    ),
]


@pytest.fixture
def copy(template: Scenario, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the published file of the made-up landing, to change."""
    path = tmp_path / "copy.duckdb"
    shutil.copyfile(template.warehouse.settings.warehouse, path)
    with duckdb.connect(path) as con:
        yield con


def ask(scenario: Scenario, sql: str) -> list[tuple]:
    return scenario.warehouse.published(sql)


def test_the_contract_holds_for_made_up_files(template: Scenario) -> None:
    with duckdb.connect(template.warehouse.settings.warehouse, read_only=True) as con:
        assert violations(con) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_contract_holds_for_the_publishers_files(union: Scenario, seed: int) -> None:
    with duckdb.connect(union.warehouse.settings.warehouse, read_only=True) as con:
        assert violations(con, seed) == []


def test_the_contract_is_about_every_table(template: Scenario) -> None:
    published = ask(
        template, "select table_name from duckdb_tables() where table_name like 'flows_by_%'"
    )
    assert {name for (name,) in published} == set(TABLES)


@pytest.mark.parametrize(("wrong", "change", "rule"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_broken_table_breaks_the_contract(
    copy: duckdb.DuckDBPyConnection, wrong: str, change: str, rule: str
) -> None:
    assert violations(copy) == []
    copy.execute(change)
    assert any(f": {rule}" in found for found in violations(copy)), wrong


def test_the_united_kingdom_of_2019_is_of_the_newest_release(real: Scenario) -> None:
    # The Pink Book of October 2020 has 16,689, provisional.
    assert ask(
        real,
        "select receipts, source, release_date::varchar from marts.flows_by_country"
        " where reporter_code = 'GBR' and year = 2019",
    ) == [(19098, "ons_services_by_partner", "2021-07-12")]


def test_the_united_kingdom_fell_in_2020_in_the_older_edition(real: Scenario) -> None:
    # 17,473 / 19,098 = 0.91491; in dollars 0.92027. Beside the Pink Book's 16,689 it would rise.
    assert ask(
        real,
        "select receipts, round(receipts_growth_stated_pct, 1), round(receipts_growth_pct, 1)"
        " from marts.flows_by_country where reporter_code = 'GBR' and year = 2020",
    ) == [(17473, -8.5, -8.0)]


def test_the_united_kingdom_fell_in_2020(union: Scenario) -> None:
    # 18,618 / 20,638 = 0.90212, in one release; in dollars, at 0.7842 and 0.7796 pounds, 0.90741.
    assert ask(
        union,
        "select receipts, round(receipts_growth_stated_pct, 1), round(receipts_growth_pct, 1)"
        " from marts.flows_by_country where reporter_code = 'GBR' and year = 2020",
    ) == [(18618, -9.8, -9.3)]


def test_the_partners_of_the_united_kingdom_make_its_total(union: Scenario) -> None:
    found = ask(
        union,
        "select member_kind, sum(receipts)::int, sum(payments)::int, sum(withheld_receipts)::int"
        " from marts.flows_by_partner where reporter_code = 'GBR' and year = 2020 group by 1"
        " order by 1",
    )
    assert found == [
        ("member", 15953, 11554, 0),
        ("residual", 2640, 794, 0),
        ("unallocated", 25, 156, 6),
    ]
    assert sum(row[1] for row in found) == 18618
    # By another path: the cells of the workbook, the 79 rows of countries and residuals.
    assert union.warehouse.workbench(
        "select sum(try_cast(value as int)) from raw.ons_services_by_partner__observations"
        " where _release = '2022-01-28' and direction = 'Exports' and period = '2020'"
        " and country_code not in ('W1', 'B5', 'D5', 'CS')"
    ) == [(15953 + 2640,)]


def test_no_payee_ranks_above_a_withheld_one(real: Scenario) -> None:
    # In this edition the payments to the United States in 2017 are withheld.
    found = ask(
        real,
        "select partner_code, payments is null, rank_by_payments, payments_status"
        " from marts.flows_by_partner where reporter_code = 'GBR' and year = 2017"
        " and partner_code in ('USA', 'LUX') order by 1",
    )
    assert found == [("LUX", False, None, "A"), ("USA", True, None, "Q")]


def test_ranks_where_all_that_could_be_above_are_known(union: Scenario) -> None:
    # The newer edition states the United States: 3,335, more than the 1,046 not allocated.
    assert ask(
        union,
        "select partner_code, payments::int, rank_by_payments from marts.flows_by_partner"
        " where reporter_code = 'GBR' and year = 2017 and rank_by_payments is not null order by 3",
    ) == [("USA", 3335, 1), ("JPN", 1537, 2)]
    assert ask(
        union,
        "select count(*) from marts.flows_by_subdivision_half_yearly"
        " where rank_by_receipts is not null or rank_by_payments is not null",
    ) == [(0,)]  # Guangdong is not first of one


def test_china_ranks_among_the_countries_of_2018(union: Scenario) -> None:
    # 5,561.3 and 35,591.4 of SAFE among the World Bank's: IRL 87,241, NLD 47,281, USA 43,932.
    # No rank by balance: countries with a smaller deficit in 2017 state none for 2018.
    assert ask(
        union,
        "select source, rank_by_receipts, rank_by_payments, rank_by_balance, balance_ranked_among"
        " from marts.flows_by_country where reporter_code = 'CHN' and year = 2018",
    ) == [("safe_bop_time_series", 13, 4, None, None)]


def test_no_country_ranks_below_ireland_that_is_blank_in_2020(real: Scenario) -> None:
    # The World Bank has 94,262.3 for Ireland in 2019 and nothing for 2020.
    assert ask(
        real,
        "select reporter_code, year, payments_usd_m::int, rank_by_payments"
        " from marts.flows_by_country where reporter_code in ('IRL', 'NLD')"
        " and year in (2019, 2020) and payments_usd_m is not null order by 2, 3",
    ) == [("NLD", 2019, 43203, 2), ("IRL", 2019, 94262, 1), ("NLD", 2020, 45373, None)]


def test_a_text_after_a_gap_does_not_continue_the_world_bank(real: Scenario) -> None:
    assert ask(
        real,
        "select reporter_code, year from marts.flows_by_country where is_break_in_series"
        " and reporter_code in ('DEU', 'JPN', 'USA') and year > 2020 order by 1, 2",
    ) == [("DEU", 2022), ("JPN", 2023), ("USA", 2022)]


def test_more_than_127_billion_is_not_127_billion(union: Scenario) -> None:
    assert ask(
        union,
        "select receipts_usd_m, receipts_comparator, payments_comparator, balance_comparator,"
        " rank_by_receipts from marts.flows_by_country"
        " where reporter_code = 'USA' and year = 2022",
    ) == [(127000, ">", "=", "~", None)]


def test_partners_of_the_united_states_in_2018_are_of_one_release(union: Scenario) -> None:
    found = ask(
        union,
        "select source, release_date::varchar, sum(receipts)::int, sum(withheld_receipts)::int,"
        " sum(payments), bool_or(has_country_total), round(sum(share_of_receipts_pct), 2)"
        " from marts.flows_by_partner where reporter_code = 'USA' and year = 2018 group by all",
    )
    assert found == [("bea_trade_by_area", "2021-09-21", 114819, 2, None, False, 100.0)]


def test_half_a_year_of_china_states_three_balances_alone(union: Scenario) -> None:
    # -16,531 + 3,127 + 2,932 + 2,460 = -8,012.
    assert ask(
        union,
        "select partner_code, receipts, payments, balance from marts.flows_by_partner_half_yearly"
        " where period = '2018-S1' and member_kind = 'unallocated' and reporter_code = 'CHN'",
    ) == [("_X", 2737, 19268, -8012)]


def test_industries_without_a_total_have_no_rest_and_no_shares(union: Scenario) -> None:
    assert ask(
        union,
        "select count(share_of_receipts_pct), count(rank_by_receipts),"
        " count(case when member_kind = 'unallocated' then receipts end),"
        " sum(withheld_receipts) > 0 from marts.flows_by_sector",
    ) == [(0, 0, 0, True)]


def test_a_category_that_begins_breaks_the_others(union: Scenario) -> None:
    # SH1 begins in 2002 and SH3 in 2013: until then SH2 and SH4 fill the total, SH4 91 % in 1999.
    breaks = ask(
        union,
        "select distinct year from marts.flows_by_category where reporter_code = 'GBR'"
        " and source = 'ons_pink_book' and is_break_in_series order by 1",
    )
    assert breaks == [(2002,), (2013,)]
    assert ask(
        union,
        "select count(receipts_growth_pct) from marts.flows_by_category"
        " where reporter_code = 'GBR' and year in (2002, 2013)",
    ) == [(0,)]
    assert ask(
        union,
        "select category_code, round(share_of_receipts_pct, 1) from marts.flows_by_category"
        " where reporter_code = 'GBR' and year = 1999 order by 1",
    ) == [("SH1", None), ("SH2", 8.8), ("SH3", None), ("SH4", 91.2), ("_X", 0.0)]


def test_the_total_of_exact_parts_is_exact(union: Scenario) -> None:
    # The text also says 22 billion; 2,737 + 19,268 = 22,005.
    assert ask(
        union,
        "select total_trade::int from core.fct_royalty_flows where source = 'published_figures'"
        " and reporter_code = 'CHN' and period = '2018-S1' and partner_code = 'WLD'"
        " and sector_code = '_T' and category_code = '_T' and region_code = '_T'",
    ) == [(22005,)]
