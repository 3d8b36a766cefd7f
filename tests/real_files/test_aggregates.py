"""Aggregates of the World Bank against the sums of their members, from the publisher's own files.

Every expected number is computed here from the raw CSV files, or written down from such a
computation. The files are not part of the repository; where the folders with them are not there,
these tests skip.
"""

import csv
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

from tests.support import REAL_FILES, Scenario

BULK = "2021-09-15"
EARLIER = "2016-03-01"
FLOWS = {"BX.GSR.ROYL.CD": "receipts", "BM.GSR.ROYL.CD": "payments"}
# The codes of the World Bank that the warehouse names after their members.
CODES = {"EU27": "EUU", "EU28": "EUU", "EA19": "EMU", "XKX": "KSV"}
UNION = (
    "AUT+BEL+BGR+CYP+CZE+DEU+DNK+ESP+EST+FIN+FRA+GRC+HRV+HUN+IRL+ITA+LTU+LUX+LVA+MLT+NLD+POL+PRT"
    "+ROU+SVK+SVN+SWE"
)
EU27 = UNION.split("+")
# No file and no definition at hand has the members of these groups.
UNKNOWN = (
    "AFE+AFW+CSS+EAR+FCS+HPC+IBD+IBT+IDA+IDB+IDX+LDC+LTE+OSS+PRE+PSS+PST+SST+TEA+TEC+TLA+TMN"
    "+TSA+TSS"
)
Series = dict[str, dict[int, tuple[Decimal, Decimal]]]


@cache
def cells(release: str, flow: str) -> Series:
    """Dollars by economy and year, each with its last digit, as the file of a release has them."""
    (path,) = (
        path
        for path in Path(REAL_FILES / "worldbank_wdi" / release).glob("*.csv")
        if "Metadata" not in path.name
    )
    with path.open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if len(row) > 4]
    header = next(row for row in rows if row[1] == "Country Code")
    years = [(at, int(name)) for at, name in enumerate(header) if name.isdigit()]
    return {
        row[1]: {
            year: (Decimal(row[at]), Decimal(1).scaleb(int(Decimal(row[at]).as_tuple().exponent)))
            for at, year in years
            if row[at] not in ("", "..")
        }
        for row in rows
        if FLOWS.get(row[3]) == flow
    }


def stated(release: str, flow: str, code: str) -> dict[int, Decimal]:
    found = cells(release, flow)
    series = found[code if code in found else CODES.get(code, code)]
    return {year: value for year, (value, _) in series.items()}


def growth(flow: str, members: Iterable[str], year: int) -> float | None:
    """Growth of the members that state both years, in percent."""
    series = [stated(BULK, flow, member) for member in members]
    both = [s for s in series if year in s and year - 1 in s]
    before = sum(s[year - 1] for s in both)
    return float(100 * (sum(s[year] for s in both) / before - 1)) if before > 0 else None


@pytest.fixture(scope="module")
def members(union: Scenario) -> dict[tuple[str, str], list[str]]:
    """Members of each aggregate of the World Bank by release."""
    rows = union.warehouse.published(
        "select release_date::varchar, aggregate_code, member_code from core.dim_aggregate_member"
        " where source = 'worldbank_wdi' order by all"
    )
    return {key: [row[2] for row in group] for key, group in groupby(rows, key=lambda row: row[:2])}


def test_members_are_known_or_said_to_be_unknown(
    union: Scenario, members: dict[tuple[str, str], list[str]]
) -> None:
    assert {code: len(found) for (release, code), found in members.items() if release == BULK} == {
        **{"WLD": 217, "EU27": 27, "EA19": 19, "OED": 38, "ARB": 22, "CEB": 11},
        **{"EAS": 37, "ECS": 58, "LCN": 42, "MEA": 21, "NAC": 3, "SAS": 8, "SSF": 48},
        **{"HIC": 79, "UMC": 55, "LMC": 55, "LIC": 27, "MIC": 110, "LMY": 137},
        # Venezuela has no income group, so it is in LCN and not in LAC.
        **{"EAP": 23, "ECA": 21, "LAC": 25, "MNA": 13, "SSA": 47},
    }
    assert {
        code: len(found) for (release, code), found in members.items() if release == EARLIER
    } == {
        **{"WLD": 217, "EU28": 28, "EA19": 19, "OED": 34, "ARB": 22, "CEB": 11},
    }
    assert members[BULK, "EU27"] == EU27
    assert members[EARLIER, "EU28"] == sorted([*EU27, "GBR"])
    assert union.warehouse.published(
        "select distinct aggregate_code from marts.mart_aggregates"
        " where not has_known_members order by 1"
    ) == [(code,) for code in UNKNOWN.split("+")]


@pytest.mark.parametrize(
    ("release", "flow"), [(BULK, "receipts"), (BULK, "payments"), (EARLIER, "receipts")]
)
def test_each_aggregate_is_the_sum_of_its_members_in_each_year(
    members: dict[tuple[str, str], list[str]], release: str, flow: str
) -> None:
    found = cells(release, flow)
    wrong = []
    for (stated_in, code), listed in members.items():
        if stated_in != release:
            continue
        for year, (total, digit) in found[CODES.get(code, code)].items():
            parts = [
                part[year]
                for member in listed
                if year in (part := found.get(member) or found.get(CODES.get(member, ""), {}))
            ]
            # Half of the last digit of each; floating-point numbers, to 10 digits.
            left = (digit + sum(part[1] for part in parts)) / 2 + abs(total) / 10**10
            if abs(total - sum(part[0] for part in parts)) > left:
                wrong.append((code, year))
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "year", "flow", "published", "same_reporters"),
    [
        # Ireland and Finland are blank in 2020, and had 45 % of the payments of the 27 in 2019.
        ("WLD", 2020, "payments", -22.6591, -0.7667),
        ("WLD", 2020, "receipts", -7.1338, -3.3876),
        ("EU27", 2020, "payments", -45.4734, -1.0775),
        ("EU27", 2020, "receipts", -9.6377, 1.1395),
        ("OED", 2020, "payments", -28.0765, -0.7732),
        # A large reporter that begins: Japan in 1996, Ireland in 2005.
        ("EAS", 1996, "receipts", 1085.8432, -7.8892),
        ("EU27", 2005, "payments", 58.9376, 12.6467),
        # The other way round: receipts "rise" by less than they do.
        ("LMC", 2020, "receipts", 15.9355, 35.4621),
    ],
)
def test_growth_is_that_of_the_same_reporters(
    union: Scenario,
    members: dict[tuple[str, str], list[str]],
    code: str,
    year: int,
    flow: str,
    published: float,
    same_reporters: float,
) -> None:
    assert union.warehouse.published(
        f"select published_{flow}_growth_pct, {flow}_growth_pct, has_same_reporters_{flow}"
        " from marts.mart_aggregates"
        f" where aggregate_code = '{code}' and period = '{year}'"
    ) == [(published, same_reporters, False)]
    total = stated(BULK, flow, code)
    assert float(100 * (total[year] / total[year - 1] - 1)) == pytest.approx(published, abs=5e-5)
    assert growth(flow, members[BULK, code], year) == pytest.approx(same_reporters, abs=5e-5)


@pytest.mark.parametrize("flow", ["receipts", "payments"])
def test_growth_and_reporters_of_every_aggregate_in_every_year(
    union: Scenario, members: dict[tuple[str, str], list[str]], flow: str
) -> None:
    rows = union.warehouse.published(
        f"select aggregate_code, period::int, reporters_counted_{flow}, reporters_compared_{flow},"
        f" {flow}_growth_pct from marts.mart_aggregates where has_known_members"
    )
    assert len(rows) > 1000
    for code, year, counted, compared, found in rows:
        series = [stated(BULK, flow, member) for member in members[BULK, code]]
        assert counted == sum(year in s for s in series), (code, year)
        assert compared == sum(year in s and year - 1 in s for s in series), (code, year)
        expected = growth(flow, members[BULK, code], year)
        if expected is None:
            assert found is None
        else:
            # Marts keep single dollars, and some early sums are a few thousand.
            assert found == pytest.approx(expected, abs=2e-4, rel=1e-4), (code, year)


def test_the_surplus_of_the_union_without_ireland_is_no_surplus(union: Scenario) -> None:
    """Receipts less payments of 2020 are +12,664.8 where 2019 had -69,997.6: of the 24 members that
    state both in both years, the balance rose by 2,696.4."""
    assert union.warehouse.published(
        "select balance_usd_m::double, balance_change_usd_m::double, missing_share_of_payments_pct,"
        " reporters_counted_balance, reporters_compared_payments, largest_payer_code"
        " from marts.mart_aggregates where aggregate_code = 'EU27' and period = '2020'"
    ) == [(12664.847859, 2696.449016, 44.9695, 25, 24, "NLD")]
    receipts = {code: stated(BULK, "receipts", code) for code in EU27}
    payments = {code: stated(BULK, "payments", code) for code in EU27}
    balances = [
        receipts[code][2020] - payments[code][2020] - receipts[code][2019] + payments[code][2019]
        for code in EU27
        if all(year in flow[code] for flow in (receipts, payments) for year in (2019, 2020))
    ]
    assert len(balances) == 24
    assert float(sum(balances)) / 1e6 == pytest.approx(2696.449016, abs=1e-5)
    blank = [code for code in EU27 if 2019 in payments[code] and 2020 not in payments[code]]
    assert blank == ["FIN", "IRL"]


def test_how_much_of_a_total_is_carried_by_whom(union: Scenario) -> None:
    """The world's payments of 2019: Ireland 94.3 of 441.6 bn, with the two next 40.8 %."""
    assert union.warehouse.published(
        "select members, reporters_counted_payments, largest_payer_code,"
        " largest_share_of_payments_pct, largest_three_share_of_payments_pct"
        " from marts.mart_aggregates where aggregate_code = 'WLD' and period = '2019'"
    ) == [(217, 144, "IRL", 21.3469, 40.808)]
    world = stated(BULK, "payments", "WLD")[2019]
    assert float(100 * stated(BULK, "payments", "IRL")[2019] / world) == pytest.approx(
        21.3469, abs=5e-5
    )


def test_the_union_of_27_is_no_revision_of_that_of_28(union: Scenario) -> None:
    """2011: 98,450.5 of the 28 in 2016, 82,457.2 of the 27 in 2021, -16.2 %. Of the 27, +1.43 %; of
    the 24 that state the year in both releases, -0.30 %."""
    assert union.warehouse.published(
        "select revision_kind, previous_reporter_code, round(previous_value, 1)::double,"
        " round(value, 1)::double, change, change_pct, has_same_members, same_members_change_pct,"
        " same_reporters_change_pct from marts.mart_revisions"
        " where reporter_code = 'EU27' and period = '2011' and source = 'worldbank_wdi'"
    ) == [("composition", "EU28", 98450.5, 82457.2, None, None, False, 1.4313, -0.3021)]
    was = {code: stated(EARLIER, "receipts", code).get(2011) for code in EU27}
    now = {code: stated(BULK, "receipts", code).get(2011) for code in EU27}
    before, after = (sum(v for v in values.values() if v is not None) for values in (was, now))
    assert float(100 * (after / before - 1)) == pytest.approx(1.4313, abs=5e-5)
    both = [(was[c], now[c]) for c in EU27 if was[c] is not None and now[c] is not None]
    assert len(both) == 24
    change = sum(b for _, b in both) / sum(a for a, _ in both) - 1  # type: ignore[misc]
    assert float(100 * change) == pytest.approx(-0.3021, abs=5e-5)


def test_only_known_members_are_called_the_same(union: Scenario) -> None:
    assert union.warehouse.published(
        "select has_same_members, revision_kind, string_agg(distinct reporter_code, ' '"
        " order by reporter_code) from marts.mart_revisions"
        " join core.dim_reporter using (reporter_code)"
        " where kind = 'aggregate' and revision_kind in ('changed', 'composition')"
        " group by all order by all nulls last"
    ) == [
        (False, "composition", "EU27 OED"),
        (True, "changed", "ARB CEB EA19 WLD"),
        (
            None,
            "changed",
            "CSS EAP EAS ECA ECS FCS HIC HPC LAC LCN LDC LIC LMC LMY MEA MIC MNA NAC OSS PSS SAS"
            " SSA SSF SST UMC",
        ),
    ]


def test_the_union_is_the_same_partner_of_the_united_kingdom_in_both_editions(
    union: Scenario,
) -> None:
    """B5 is the 27 other members and the institutions, called EU28 in one edition and EU27 in the
    next: 6,360 and 6,775 in 2019 are a revision."""
    assert union.warehouse.published(
        "select revision_kind, previous_partner_code, previous_value::int, value::int, change_pct,"
        " has_same_members from marts.mart_revisions where reporter_code = 'GBR'"
        " and partner_code = 'EU27' and period = '2019' and flow = 'receipts'"
    ) == [("changed", "EU28", 6360, 6775, 6.5252, True)]


def test_compare_releases_calls_a_change_of_members_so(union: Scenario) -> None:
    compared = f"compare_releases('worldbank_wdi', '{EARLIER}', '{BULK}')"
    assert union.warehouse.published(
        "select what, has_same_members, count(change), string_agg(distinct reporter_code, ' '"
        f" order by reporter_code) from {compared}"
        " where reporter_code in ('OED', 'HIC', 'WLD', 'JPN') and what <> 'added'"
        " group by all order by all nulls last"
    ) == [
        ("composition", False, 0, "OED"),
        ("revised", True, 10, "JPN WLD"),
        ("revised", None, 9, "HIC"),
    ]


def test_one_list_of_members_is_the_latest(union: Scenario) -> None:
    published = union.warehouse.published
    assert (
        published(
            "select aggregate_code, count(distinct (source, release_date)),"
            " count(*) > count(distinct member_code) from core.dim_aggregate_member where is_latest"
            " group by aggregate_code having count(distinct (source, release_date)) <> 1"
            " or count(*) > count(distinct member_code)"
        )
        == []
    )
    assert published(
        "select aggregate_code, source, release_date::varchar from core.dim_aggregate_member"
        " where is_latest and aggregate_code in ('EU27', 'OED') group by all order by all"
    ) == [("EU27", "ons_services_by_partner", "2022-01-28"), ("OED", "worldbank_wdi", BULK)]
    # Before: 20,925, three times as much.
    assert published(
        "select sum(flows.receipts)::int from marts.flows_by_partner as flows"
        " inner join core.dim_aggregate_member as members"
        " on flows.partner_code = members.member_code and members.is_latest"
        " where flows.reporter_code = 'GBR' and flows.year = 2020"
        " and members.aggregate_code = 'EU27'"
    ) == [(6_975,)]


@pytest.mark.parametrize("flow", ["receipts", "payments"])
def test_no_rank_below_a_country_that_is_blank_now(union: Scenario, flow: str) -> None:
    """Ireland paid 94,262 million in 2019 and is blank in 2020: before, the Netherlands was first.

    A rank of 2020 is above each country that has a figure of 2019 and none of 2020.
    """
    published = union.warehouse.published
    countries = {
        code: stated(BULK, flow, code)
        for (code,) in published(
            "select reporter_code from core.dim_reporter where kind = 'country'"
        )
        if CODES.get(code, code) in cells(BULK, flow)
    }
    now = {code: series[2020] for code, series in countries.items() if 2020 in series}
    blank = max(
        series[2019] for series in countries.values() if 2019 in series and 2020 not in series
    )
    expected = {
        code: 1 + sum(other > value for other in now.values())
        for code, value in now.items()
        if value > blank
    }
    assert len(now) >= 100
    assert bool(expected) == (flow == "receipts")  # USA, NLD and others; payments: none
    ranks = published(
        f"select reporter_code, rank_by_{flow} from marts.mart_world_ranking"
        f" where source = 'worldbank_wdi' and period = '2020' and rank_by_{flow} is not null"
    )
    assert dict(ranks) == expected


def test_no_share_of_receipts_with_a_negative_member(union: Scenario) -> None:
    # Guinea's receipts of 2013 are -1.45 million. Before: the largest three had 101.84 percent.
    assert stated(BULK, "receipts", "GIN")[2013] < 0
    assert union.warehouse.published(
        "select largest_share_of_receipts_pct, largest_three_share_of_receipts_pct,"
        " largest_three_share_of_payments_pct is null from marts.mart_aggregates"
        f" where aggregate_code = 'LIC' and period = '2013' and release_date = date '{BULK}'"
    ) == [(None, None, False)]
    assert union.warehouse.published(
        "select count(*) from marts.mart_aggregates where largest_three_share_of_receipts_pct > 100"
        " or largest_three_share_of_payments_pct > 100"
    ) == [(0,)]
