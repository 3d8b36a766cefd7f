"""The table macros of the published file, on the publishers' files and on made-up ones."""

from typing import Any

import duckdb
import pytest

from tests.support import Scenario, Warehouse, rows


def test_balance_of_gives_the_preferred_rows_of_the_mart(real: Scenario) -> None:
    published = real.warehouse.published
    for dimension in ("partner", "sector", "category", "region", "affiliation"):
        columns = (
            f"{dimension}_code, period, concept, source, receipts_usd_m, rank_by_payments,"
            " balance_change_usd_m"
        )
        expected = published(
            f"select {columns} from marts.mart_balance_by_{dimension}"
            " where reporter_code = 'GBR' and preferred order by all"
        )
        found = columns.replace(f"{dimension}_code", "member_code")
        macro = f"balance_of('GBR', '{dimension}')"
        assert published(f"select {found} from {macro} order by all") == expected != []


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("balance_of('GBR', 'country')", "breakdown must be one of partner, sector"),
        ("top_partners('GBR', '2020', flow := 'balance')", "flow must be receipts or payments"),
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
        "select place, payments_usd_m, source from top_partners('GBR', '2020',"
        " flow := 'payments', n := 20)"
    )
    assert [place for place, _, _ in found] == sorted(place for place, _, _ in found)
    assert [amount for _, amount, _ in found] == sorted((row[1] for row in found), reverse=True)
    assert len({source for _, _, source in found}) == 1
    assert found[0][0] == 1
    assert len(found) == 19  # below them, a withheld partner could be larger


def test_there_are_no_top_partners_where_a_withheld_one_could_be_larger(real: Scenario) -> None:
    of_2017 = "top_partners('GBR', '2017', flow := 'payments')"
    assert real.warehouse.published(f"from {of_2017}") == []


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
