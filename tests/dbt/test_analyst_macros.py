"""The table macros of the published file, on the publishers' files and on made-up ones."""

from typing import Any

import duckdb
import pytest

from tests.support import Scenario, Warehouse, rows

FREQUENCIES = {"A": "", "S": "_half_yearly", "Q": "_quarterly", "M": "_monthly"}
BREAKDOWNS = ("partner", "sector", "category", "affiliation", "subdivision")
SHARED = (
    "member_kind, year, period, receipts_usd_m, balance_usd_m, currency, payments, balance,"
    " payments_status, receipts_comparator, withheld_receipts, withheld_payments,"
    " share_of_payments_pct, rank_by_receipts, payments_ranked_among, receipts_growth_pct,"
    " payments_growth_stated_pct, balance_change_usd_m, is_break_in_series, source, release_date"
)
WHOLE = "period, sum(receipts), sum(payments), sum(balance), sum(receipts_usd_m)"


def test_balance_of_gives_the_rows_of_the_tables_that_add_up(real: Scenario) -> None:
    published = real.warehouse.published
    compared = 0
    for frequency, suffix in FREQUENCIES.items():
        for breakdown in BREAKDOWNS:
            table = f"marts.flows_by_{breakdown}{suffix}"
            for (reporter,) in published(f"select distinct reporter_code from {table}"):
                macro = f"balance_of('{reporter}', '{breakdown}', frequency := '{frequency}')"
                names = f"{breakdown}_code as member_code, {breakdown}_name as member_name"
                expected = published(
                    f"select {names}, {SHARED} from {table}"
                    f" where reporter_code = '{reporter}' order by all"
                )
                found = f"select member_code, member_name, {SHARED} from {macro} order by all"
                assert published(found) == expected
                compared += 1
    assert compared >= 8


def test_the_rows_of_balance_of_are_the_total(real: Scenario) -> None:
    published = real.warehouse.published
    found = published(
        f"select {WHOLE} from balance_of('GBR', 'category') group by period order by period"
    )
    expected = published(
        "select period, receipts, payments, balance, receipts_usd_m from marts.flows_by_country"
        " where reporter_code = 'GBR' and source = 'ons_pink_book' order by period"
    )
    assert {row[0]: row for row in expected}.items() <= {row[0]: row for row in found}.items()
    # Stated as total of 3.6 Royalties and license fees, beside 10,728 that no kind of right has.
    half_year = "balance_of('CHN', 'category', frequency := 'S')"
    assert published(f"select sum(receipts), sum(payments), sum(balance) from {half_year}") == [
        (2737, 19268, -16531)
    ]
    assert published("from balance_of('CHN', 'category')") == []  # no year


def test_a_region_is_a_subdivision(real: Scenario) -> None:
    found, same = (
        real.warehouse.published(
            f"select member_code, payments_usd_m from balance_of('CHN', '{breakdown}',"
            " frequency := 'S')"
        )
        for breakdown in ("region", "subdivision")
    )
    assert found == same == [("CN-GD", 5849), ("_X", 13419)]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("balance_of('GBR', 'country')", "breakdown must be one of partner, sector"),
        ("balance_of('GBR', 'partner', frequency := 'B')", "frequency must be A .years., S"),
        ("top_partners('GBR', '2020', flow := 'balance')", "flow must be receipts or payments"),
        ("top_partners('GBR', '2020', of_concept := 'ONS_ITIS')", "of_concept must be BPM6_SH"),
        ("top_partners('GBR', '2020-Q1')", "of_period has another frequency: name it"),
        ("top_partners('GBR', '2020', frequency := 'B')", "frequency must be A .years., S"),
        ("compare_releases('worldbank_wdi', '2016-03-01', '2021-09-16')", "no such release"),
        ("compare_releases('worldbank_wdi', '2016-03-02', '2021-09-15')", "no such release"),
        ("compare_releases('worldbank', '2016-03-01', '2021-09-15')", "no such release"),
    ],
)
def test_a_word_outside_the_choices_is_an_error(real: Scenario, call: str, says: str) -> None:
    with pytest.raises(duckdb.Error, match=says):
        real.warehouse.published(f"from {call}")


def test_top_partners_come_from_one_source_in_order(real: Scenario) -> None:
    found = real.warehouse.published(
        "select place, payments_usd_m, source, release_date, member_kind from"
        " top_partners('GBR', '2020', flow := 'payments', n := 30)"
    )
    assert [row[1] for row in found] == sorted((row[1] for row in found), reverse=True)
    assert len({row[2:4] for row in found}) == 1
    (rest,) = [row for row in found if row[4] == "unallocated"]
    ranked = [row for row in found if row[0] is not None]
    assert [row[0] for row in ranked] == [*range(1, 19), 18]  # two of 37 million pounds
    # Below the rest, a withheld partner could be larger.
    assert min(row[1] for row in ranked) >= rest[1]
    below = [row for row in found if row[1] < rest[1]]
    assert {row[0] for row in below} == {None}
    assert len(found) == 31


def test_a_quarter_has_top_partners_too(real: Scenario) -> None:
    assert real.warehouse.published(
        "select distinct place is null, source from"
        " top_partners('GBR', '2020-Q1', frequency := 'Q') where member_kind = 'member'"
    )


def test_the_largest_partner_is_unknown_where_it_may_be_withheld(real: Scenario) -> None:
    """A newer release, among the files of later years only, has the United States: 4,292."""
    found = real.warehouse.published(
        "select place, partner_code, payments, withheld_payments from"
        " top_partners('GBR', '2017', flow := 'payments', n := 2)"
        " inner join (select partner_code, payments from marts.flows_by_partner"
        " where reporter_code = 'GBR' and year = 2017) using (partner_code)"
        " order by payments desc"
    )
    assert found == [(None, "_X", 8218, 43), (None, "LUX", 540, 0), (None, "DEU", 387, 0)]


def test_compare_releases_agrees_with_the_revisions_of_consecutive_releases(
    real: Scenario,
) -> None:
    series = "reporter_code, period, flow, currency"
    expected = real.warehouse.published(
        f"select {series}, previous_value, value, change from marts.mart_revisions"
        " where source = 'worldbank_wdi' and revision_kind = 'changed' order by all"
    )
    found = real.warehouse.published(
        f"select {series}, earlier_value, later_value, change"
        " from compare_releases('worldbank_wdi', '2016-03-01', '2021-09-15')"
        " where what = 'revised' order by all"
    )
    assert found == expected != []


def test_compare_releases_backwards_swaps_added_and_dropped(real: Scenario) -> None:
    def counts(earlier: str, later: str) -> dict[str, int]:
        return dict(
            real.warehouse.published(
                "select what, count(*) from compare_releases("
                f"'worldbank_wdi', '{earlier}', '{later}') group by all"
            )
        )

    forth, back = counts("2016-03-01", "2021-09-15"), counts("2021-09-15", "2016-03-01")
    assert (forth["added"], forth["dropped"]) == (back["dropped"], back["added"])
    assert forth["added"] > 0
    assert forth["dropped"] > 0


def test_lineage_of_leads_to_the_cell(real: Scenario) -> None:
    found: list[tuple[Any, ...]] = real.warehouse.published(
        "select flow, value, file_name, sheet_name, column_name, row_number"
        " from lineage_of('GBR', '2019', category := 'SH4') where concept = 'BPM6_SH'"
    )
    assert [row[0] for row in found] == ["balance", "payments", "receipts"]
    assert found[2][2:] == ("pinkbook2020chapter3.xls", "3.6", "Z", 10)


def test_a_build_of_one_mart_alone_leaves_the_macros_as_they_are(warehouse: Warehouse) -> None:
    from dagster_project.transform.dbt_runner import run_dbt

    warehouse.restore_candidate()
    names = "select function_name from duckdb_functions() where not internal order by 1"
    before = rows(warehouse.settings.candidate, names)
    results = run_dbt(warehouse.settings, ["build", "--select", "mart_world_ranking"])
    assert {result.status for result in results} <= {"success", "pass"}
    assert rows(warehouse.settings.candidate, names) == before != []
