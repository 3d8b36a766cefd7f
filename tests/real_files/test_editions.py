"""Editions of the publishers' own files in which one code means two unions, in one warehouse.

The files are not part of the repository; where the folders with them are not there, these tests
skip.
"""

import pytest

from tests.support import Scenario

EDITIONS = (
    "ons_services_by_partner 2021-07-12",
    "ons_services_by_partner 2022-01-28",
    "worldbank_wdi 2016-03-01",
    "worldbank_wdi 2021-09-15",
)
ONS = "source = 'ons_services_by_partner'"


def test_all_editions_are_accepted_without_a_warning(union: Scenario) -> None:
    assert "accepted ons_services_by_partner 2021-07-12: 166 of 7,808" in union.outcome.output
    assert "accepted ons_services_by_partner 2022-01-28: 166 of 7,802" in union.outcome.output
    lines = union.outcome.output.splitlines()
    said = [at for at, line in enumerate(lines) if any(f"accepted {e}" in line for e in EDITIONS)]
    assert len(said) == len(EDITIONS)
    assert not any("warn" in line.lower() for at in said for line in lines[at : at + 2])


def test_each_edition_has_166_rows_and_its_own_union(union: Scenario) -> None:
    assert union.warehouse.published(
        "select release_date::varchar, count(distinct (flow, partner_code)),"
        " string_agg(distinct partner_code, ' ' order by partner_code)"
        " filter (where partner_code like '%EU2%')"
        f" from core.fct_royalty_observations where {ONS} group by 1 order by 1"
    ) == [("2021-07-12", 166, "EU28 NON_EU28"), ("2022-01-28", 166, "EU27 NON_EU27")]


@pytest.mark.parametrize(
    ("release", "partner", "period", "receipts"),
    [
        ("2021-07-12", "WLD", "2019", 19098),
        ("2022-01-28", "WLD", "2019", 20638),
        ("2022-01-28", "WLD", "2020", 18618),
        ("2022-01-28", "USA", "2020", 3824),
        ("2021-07-12", "EU28", "2019", 6360),
        ("2022-01-28", "EU27", "2019", 6775),
        ("2021-07-12", "NON_EU28", "2019", 12738),
        ("2022-01-28", "NON_EU27", "2019", 13863),
    ],
)
def test_figures_of_both_editions(
    union: Scenario, release: str, partner: str, period: str, receipts: int
) -> None:
    assert union.warehouse.published(
        f"select value::int from core.fct_royalty_observations where {ONS} and flow = 'receipts'"
        f" and release_date = '{release}' and partner_code = '{partner}' and period = '{period}'"
    ) == [(receipts,)]


def test_compare_releases_lists_the_revision_and_compares_no_two_unions(
    union: Scenario,
) -> None:
    compared = "compare_releases('ons_services_by_partner', '2021-07-12', '2022-01-28')"
    assert union.warehouse.published(
        f"select earlier_value::int, later_value::int from {compared} where what = 'revised'"
        " and flow = 'receipts' and partner_code = 'WLD' and period = '2019'"
    ) == [(19098, 20638)]
    # 2 flows; 5 years and 20 quarters before, 3 quarters more after.
    assert union.warehouse.published(
        f"select what, partner_code, count(*) from {compared}"
        " where partner_code like '%EU2%' group by all order by all"
    ) == [
        ("added", "EU27", 56),
        ("added", "NON_EU27", 56),
        ("dropped", "EU28", 50),
        ("dropped", "NON_EU28", 50),
    ]


def test_the_unions_of_the_world_bank_are_apart_too(union: Scenario) -> None:
    """The stated union is the sum of 28 members in the release of 2016, of 27 in that of 2021."""
    assert union.warehouse.published(
        "select release_date::varchar,"
        " string_agg(distinct reporter_code, ' ' order by reporter_code)"
        " from core.fct_royalty_observations where source = 'worldbank_wdi'"
        " and reporter_code in ('EA19', 'EMU', 'EU27', 'EU28', 'EUU') group by 1 order by 1"
    ) == [("2016-03-01", "EA19 EU28"), ("2021-09-15", "EA19 EU27")]
    sums = union.warehouse.published(
        "select unions.reporter_code, unions.period, unions.value, sum(members.value),"
        " max(unions.rounding) + sum(members.rounding)"
        " from core.fct_royalty_observations as unions"
        " join core.dim_reporter as union_of using (reporter_code)"
        " join core.fct_royalty_observations as members"
        " on members.source = unions.source and members.release_date = unions.release_date"
        " and members.period = unions.period and members.flow = unions.flow"
        " and list_contains(string_split(union_of.members, '+'), members.reporter_code)"
        " where unions.source = 'worldbank_wdi' and unions.period >= '2008'"
        " and unions.reporter_code in ('EA19', 'EU27', 'EU28') group by all"
    )
    assert len(sums) > 60
    wrong = [row for row in sums if abs(row[2] - row[3]) > max(row[4], row[2] / 10000)]
    assert wrong == []


def test_no_change_of_composition_is_a_revision(union: Scenario) -> None:
    """The World Bank's union is 28 members, then 27. The United Kingdom's partner has the same
    members under both names, so that it is revised; the world outside it has no list of members."""
    assert union.warehouse.published(
        "select source, reporter_code, partner_code, revision_kind, count(*)"
        " from marts.mart_revisions"
        " where reporter_code in ('EU27', 'EU28', 'EUU', 'EMU') or partner_code like '%EU2%'"
        " group by all order by all"
    ) == [
        ("ons_services_by_partner", "GBR", "EU27", "changed", 49),
        ("ons_services_by_partner", "GBR", "EU27", "unchanged", 1),
        ("worldbank_wdi", "EU27", "WLD", "composition", 9),
    ]


def test_a_difference_within_rounding_is_not_a_revision(union: Scenario) -> None:
    """Cell by cell in the two files: 746 pairs differ by half a last digit of each or more, 562 do
    not; Kosovo, whose code changed, has 9 more that do. Nine of the 746 are the OECD, first with 34
    and then with 38 members; nine years of the European Union are in neither count."""
    published = union.warehouse.published
    assert published(
        "select revision_kind, count(*) from marts.mart_revisions"
        " where source = 'worldbank_wdi' and value is not null group by all order by all"
    ) == [("changed", 746 + 9 - 9), ("composition", 9 + 9), ("unchanged", 562)]
    # Japan's receipts of 2014 alone were revised; the other years gained decimals.
    assert published(
        "select period from compare_releases('worldbank_wdi', '2016-03-01', '2021-09-15')"
        " where reporter_code = 'JPN' and flow = 'receipts' and what = 'revised'"
    ) == [("2014",)]


def test_figures_missing_from_the_next_edition_are_dropped_or_withheld(
    union: Scenario,
) -> None:
    published = union.warehouse.published
    assert published(
        "select source, revision_kind, count(*), count(value) from marts.mart_revisions"
        " where revision_kind in ('dropped', 'withheld') group by all order by all"
    ) == [("ons_services_by_partner", "withheld", 196, 0), ("worldbank_wdi", "dropped", 57, 0)]
    # Spain has no receipts before 2013 in the release of 2021, and had them in that of 2016.
    assert published(
        "select count(*), min(period), max(period) from marts.mart_revisions"
        " where revision_kind = 'dropped' and reporter_code = 'ESP'"
    ) == [(8, "2005", "2012")]
    # The macro does not know that a code means another union: it lists 9 years of the EU28 more.
    assert published(
        "select count(*), count(*) filter (reporter_code = 'EU28')"
        " from compare_releases('worldbank_wdi', '2016-03-01', '2021-09-15')"
        " where what = 'dropped'"
    ) == [(66, 9)]
