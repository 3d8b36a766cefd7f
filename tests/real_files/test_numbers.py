"""The publishers' own files through the whole run: the numbers in the texts are reproduced.

The files are not part of the repository; where the folder with them is not there, these tests skip.
The texts' figures are bundled with the project.
"""

import pytest

from dagster_project.pipeline.run import PUBLISHED
from tests.support import REAL_FILES, TEXTS, Scenario

DIMENSIONS = ["reporter", "partner", "sector", "category", "affiliation", "region"]


def world_bank_flows(real: Scenario, columns: str, reporter: str, period: str) -> tuple:
    (row,) = real.warehouse.published(
        f"select {columns} from core.fct_royalty_flows where source = 'worldbank_wdi'"
        f" and reporter_code = '{reporter}' and period = '{period}'"
    )
    return row


def test_every_release_is_accepted_and_published(real: Scenario) -> None:
    assert real.outcome.code == PUBLISHED
    landed = [path for folder in (REAL_FILES, TEXTS.parent) for path in folder.glob("*/*-*-*/")]
    assert real.outcome.output.count("accepted ") == len(landed) + 2  # two packaged sources
    assert "accepted worldbank_wdi 2016-03-01: 248 of 248" in real.outcome.output


def test_the_run_has_no_warnings(real: Scenario) -> None:
    assert "warn" not in real.outcome.output.lower()
    assert "REJECTED" not in real.outcome.output


def test_no_expectation_failed_not_even_as_a_warning(real: Scenario) -> None:
    assert (
        real.warehouse.published("select table_name from audit.gate_results where failed > 0") == []
    )


def test_the_release_of_2021_has_so_many_observations(real: Scenario) -> None:
    assert real.warehouse.published(
        "select count(*), count(value) from core.fct_royalty_observations"
        " where source = 'worldbank_wdi' and release_date = '2021-09-15'"
    ) == [(16_712, 16_712)]


@pytest.mark.parametrize(("period", "balance"), [("2002", "-598.99"), ("2003", "1267.30")])
def test_japan_turned_from_deficit_to_surplus(real: Scenario, period: str, balance: str) -> None:
    (found,) = world_bank_flows(real, "balance_usd_m", "JPN", period)
    assert f"{found:.2f}" == balance


def test_china_2018(real: Scenario) -> None:
    receipts, payments = world_bank_flows(real, "receipts_usd_m, payments_usd_m", "CHN", "2018")
    assert (f"{receipts:.2f}", f"{payments:.2f}") == ("5561.29", "35782.95")


@pytest.mark.parametrize(
    ("day", "receipts"), [("2016-12-31", "128000.00"), ("2021-12-31", "113824.00")]
)
def test_what_was_known_of_the_united_states_in_2013(
    real: Scenario, day: str, receipts: str
) -> None:
    ((found,),) = real.warehouse.published(
        f"select receipts_usd_m from royalty_flows_as_of(date '{day}')"
        " where source = 'worldbank_wdi' and reporter_code = 'USA' and period = '2013'"
    )
    assert f"{found:.2f}" == receipts


def test_no_aggregate_is_ranked(real: Scenario) -> None:
    published = real.warehouse.published
    aggregates = "(select reporter_code from core.dim_reporter where kind <> 'country')"
    assert published(
        "select count(*) from core.fct_royalty_flows"
        f" where source = 'worldbank_wdi' and reporter_code in {aggregates}"
    ) != [(0,)]
    assert (
        published(f"select * from marts.mart_world_ranking where reporter_code in {aggregates}")
        == []
    )
    assert (
        published(
            "select * from marts.mart_balance_by_partner join core.dim_partner using (partner_code)"
            " where kind <> 'country' and coalesce(rank_by_receipts, rank_by_payments) is not null"
        )
        == []
    )


def test_namibia_keeps_its_letters(real: Scenario) -> None:
    published = real.warehouse.published
    assert published(
        "select reporter_code, reporter_name from core.dim_reporter where iso2 = 'NA'"
    ) == [("NAM", "Namibia")]
    ((figures,),) = published(
        "select count(*) from core.fct_royalty_observations where reporter_code = 'NAM'"
    )
    assert figures > 20


def test_every_code_is_known(real: Scenario) -> None:
    codes = ", ".join(f"{dimension}_code" for dimension in DIMENSIONS)
    assert (
        real.warehouse.published(
            f"select * from core.fct_royalty_observations where '_U' in ({codes})"
        )
        == []
    )


def stated(real: Scenario, source: str, key: str, columns: str = "value::double") -> list[tuple]:
    """The statements of one source: the key is `flow period` and codes other than the totals."""
    flow, period, *codes = key.split()
    given = dict(code.split("=") for code in codes)
    wanted = {f"{dimension}_code": given.get(dimension, "_T") for dimension in DIMENSIONS[2:]}
    wanted |= {"partner_code": given.get("partner", "WLD"), "flow": flow, "period": period}
    where = " and ".join(f"{column} = '{value}'" for column, value in wanted.items())
    return real.warehouse.published(
        f"select {columns} from core.fct_royalty_observations where source = '{source}' and {where}"
    )


@pytest.mark.parametrize(
    ("source", "key", "value"),
    [
        ("ons_pink_book", "receipts 2019 category=SH1", 4174),
        ("ons_pink_book", "receipts 2019 category=SH2", 3530),
        ("ons_pink_book", "receipts 2019 category=SH3", 703),
        ("ons_pink_book", "receipts 2019 category=SH4", 8282),
        ("ons_pink_book", "receipts 2019", 16689),
        ("ons_pink_book", "payments 2019", 12540),
        ("ons_pink_book", "balance 2019", 4149),
        ("ons_pink_book", "receipts 1997", 2895),
        ("ons_services_by_partner", "receipts 2019", 19098),
        ("ons_services_by_partner", "receipts 2020 partner=USA", 3767),
        ("ons_services_by_partner", "receipts 2020-Q4", 4577),
        ("ons_trade_by_industry", "receipts 2019 sector=J59", 3805),
        ("ons_trade_by_industry", "receipts 2019 sector=J62", 3311),
        ("ons_trade_by_industry", "payments 2019 sector=J58", 394),
        ("ons_itis", "receipts 2019 category=ITIS_TM_USE", 5714.55),
        ("ons_itis", "receipts 2019 category=ITIS_TM_SALE", 605.29),
        ("bea_trade_by_area", "receipts 2020", 113779),
        ("bea_trade_by_area", "receipts 2020 partner=JPN", 5925),
        ("bea_trade_by_area", "receipts 2020 partner=GBR", 5213),
        ("bea_trade_by_area", "receipts 2020 partner=VEN", 39),
    ],
)
def test_what_a_publisher_states(real: Scenario, source: str, key: str, value: float) -> None:
    ((found,),) = stated(real, source, key)
    assert round(found, 2) == value


@pytest.mark.parametrize(
    ("source", "key", "status"),
    [
        ("ons_pink_book", "receipts 1997 category=SH1", (None, "L", "F")),
        ("ons_services_by_partner", "receipts 2019 partner=CHN", (None, "Q", "C")),
        ("ons_trade_by_industry", "payments 2019 sector=J62", (None, "Q", "C")),
        ("bea_trade_by_area", "receipts 2020 partner=MLT", (None, "Q", "C")),
    ],
)
def test_missing_and_suppressed_figures_are_rows_without_a_value(
    real: Scenario, source: str, key: str, status: tuple
) -> None:
    assert stated(real, source, key, "value, obs_status, conf_status") == [status]


def test_the_split_by_type_of_right_breaks_where_a_type_begins(real: Scenario) -> None:
    """In table 3.6 SH1 begins in 2002 and SH3 in 2013; SH2 and SH4, then SH1 too, fill the total.

    By hand, receipts: 2001 480 + 4274 = 4754, 2012 2057 + 1198 + 5267 = 8522. So the share of SH4
    in 1999, 3493 of 3832 or 91 percent, contains SH1 and SH3.
    """
    assert real.warehouse.published(
        "select period, obs_status, string_agg(distinct category_code, ' ' order by category_code),"
        " count(*) from core.fct_royalty_observations where source = 'ons_pink_book'"
        " and (obs_status = 'B' or (obs_status = 'L' and period in ('2001', '2012')))"
        " group by 1, 2 order by 1, 2"
    ) == [
        ("2001", "L", "SH1 SH3", 6),
        ("2002", "B", "SH1 SH2 SH4", 9),
        ("2012", "L", "SH3", 3),
        ("2013", "B", "SH1 SH2 SH3 SH4", 12),
    ]
    assert real.warehouse.published(
        "select count(*) from core.fct_royalty_observations where source = 'ons_pink_book'"
        " and obs_status = 'L'"
    ) == [(63,)]


def test_less_than_half_a_million_is_not_significant(real: Scenario) -> None:
    assert real.warehouse.published(
        "select value::int, obs_status, count(*) from core.fct_royalty_observations"
        " where source = 'bea_trade_by_area' and obs_status not in ('A', 'Q') group by all"
    ) == [(0, "N", 4)]


@pytest.mark.parametrize(
    ("source", "period", "dimension", "flow", "covered", "total", "withheld"),
    [
        # Million pounds of the sheets: countries 15,212 + rests of areas 2,245 of 17,473, without
        # Albania, Iceland, Montenegro and other North Africa.
        ("ons_services_by_partner", "2020", "partner", "receipts", 17_457, 17_473, 4),
        ("ons_services_by_partner", "2020", "partner", "payments", 13_099, 13_136, 10),
        # Tables C2 to C7: 1,813 + 808 + 8,762 + 6,419 + 336 + 3,068 (sections R and S) of 21,480.
        ("ons_itis", "2019", "sector", "receipts", 21_206, 21_480, 0),
        ("ons_itis", "2019", "sector", "payments", 15_574, 16_106, 0),
        # Million dollars, the areas' own sums: Canada 7,362, Europe 63,395 of 63,601 without Cyprus
        # and Malta, South and Central America 6,176, Other Western Hemisphere 2,096, Africa 771,
        # Middle East 767, Asia and Pacific 33,006.
        ("bea_trade_by_area", "2020", "partner", "receipts", 113_573, 113_779, 2),
    ],
)
def test_the_parts_cover_the_total_without_overlap(
    real: Scenario,
    source: str,
    period: str,
    dimension: str,
    flow: str,
    covered: int,
    total: int,
    withheld: int,
) -> None:
    """Before, without residuals and joint sections: 87.1, 91.3, 84.4, 90.0 and 98.4 percent."""
    ((share, counted, left),) = real.warehouse.published(
        "select coverage_pct, parts_withheld, uncovered_usd_m / total_usd_m"
        " from marts.mart_coverage"
        f" where source = '{source}' and period = '{period}' and dimension = '{dimension}'"
        f" and flow = '{flow}'"
    )
    assert share == pytest.approx(100 * covered / total, abs=1e-4)
    assert float(left) == pytest.approx(1 - covered / total, abs=1e-6)
    assert counted == withheld


def test_no_parts_are_counted_twice(real: Scenario) -> None:
    """Of receipts and payments; 0.02 percent is the rounding of the survey's figures."""
    assert (
        real.warehouse.published(
            "select source, period, flow, dimension, coverage_pct from marts.mart_coverage"
            " where coverage_pct > 100.02"
        )
        == []
    )


def test_texts_are_current_in_all_their_releases(real: Scenario) -> None:
    """Eleven folders of texts, each with statements that no later one replaces."""
    assert real.warehouse.published(
        "select count(*), count(*) filter (is_latest) from core.dim_release"
        " where source = 'published_figures'"
    ) == [(11, 11)]
    assert real.warehouse.published(
        "select release_date::text from core.dim_release"
        " where source = 'worldbank_wdi' and is_latest"
    ) == [("2021-09-15",)]


def test_aggregates_are_a_group_of_their_own(real: Scenario) -> None:
    """Receipts of 2019 by income group, added up from the two files of 2021-09-15.

    Before, the 2.3 trillion of the aggregates were in the group NULL.
    """
    assert real.warehouse.published(
        "select income_group, round(sum(receipts_usd_m), 2)::text, count(receipts_usd_m)"
        " from marts.mart_balance_by_partner inner join core.dim_reporter using (reporter_code)"
        " where source = 'worldbank_wdi' and partner_code = 'WLD' and period = '2019'"
        " group by income_group having count(receipts_usd_m) > 0 order by 1"
    ) == [
        ("Aggregates", "2311096.63", 48),
        ("High income", "386406.05", 48),
        ("Low income", "31.20", 11),
        ("Lower middle income", "1268.55", 39),
        ("Upper middle income", "9928.64", 40),
    ]


def test_a_classification_says_its_fiscal_year(real: Scenario) -> None:
    """Panama and Romania were upper middle income in the World Bank's fiscal year 2022 only."""
    assert real.warehouse.published(
        "select economy_code, world_bank_region, income_group, fiscal_year"
        " from core.dim_economy_classification where economy_code in ('PAN', 'ROU', 'VEN')"
        " order by 1"
    ) == [
        ("PAN", "Latin America & Caribbean", "Upper middle income", 2022),
        ("ROU", "Europe & Central Asia", "Upper middle income", 2022),
        ("VEN", "Latin America & Caribbean", "Not classified", 2022),
    ]


def test_eleven_figures_by_area_are_suppressed(real: Scenario) -> None:
    assert real.warehouse.published(
        "select count(*) from core.fct_royalty_observations"
        " where source = 'bea_trade_by_area' and conf_status = 'C'"
    ) == [(11,)]


def test_the_survey_has_both_classifications_and_is_never_the_balance_of_payments(
    real: Scenario,
) -> None:
    years = "min(period), max(period), min(concept), max(concept)"
    assert real.warehouse.published(
        f"select category_code, {years} from core.fct_royalty_observations"
        " where source = 'ons_itis'"
        " and category_code in ('_T', 'ITIS_FRANCHISE_USE', 'ITIS_TM_USE')"
        " group by 1 order by 1"
    ) == [
        ("ITIS_FRANCHISE_USE", "2009", "2012", "ONS_ITIS", "ONS_ITIS"),
        ("ITIS_TM_USE", "2013", "2019", "ONS_ITIS", "ONS_ITIS"),
        ("_T", "2009", "2019", "ONS_ITIS", "ONS_ITIS"),
    ]


def test_of_21_records_of_batis_20_are_of_intellectual_property(real: Scenario) -> None:
    assert real.warehouse.published(
        "select rows_read, rows_kept from audit.releases where source = 'oecd_wto_batis'"
    ) == [(21, 20)]


def test_two_sides_of_one_flow(real: Scenario) -> None:
    assert real.warehouse.published(
        "select receipts_stated_usd_m::double, round(payments_stated_usd_m, 2)::double"
        " from marts.mart_mirror_asymmetry"
        " where receiver_code = 'USA' and payer_code = 'GBR' and period = '2020'"
    ) == [(5213, 4689.35)]


@pytest.mark.parametrize(
    ("dimension", "code", "flow", "share"),
    [
        ("sector", "C", "receipts", 78.1),
        ("sector", "C", "payments", 70.4),
        ("category", "SH3", "receipts", 78.7),
        ("category", "SH2", "payments", 44.3),
        ("region", "CN-GD", "receipts", 83.4),
        ("region", "CN-GD", "payments", 30.4),
    ],
)
def test_shares_of_china_in_the_first_half_of_2018(
    real: Scenario, dimension: str, code: str, flow: str, share: float
) -> None:
    ((found,),) = real.warehouse.published(
        f"select share_of_{flow}_pct from marts.mart_balance_by_{dimension}"
        f" where reporter_code = 'CHN' and period = '2018-S1' and {dimension}_code = '{code}'"
        " and source = 'published_figures'"
    )
    assert round(found, 1) == share


def test_the_deficit_of_china_grew_in_the_first_half_of_2018(real: Scenario) -> None:
    ((change,),) = real.warehouse.published(
        "select balance_change_usd_m from marts.mart_balance_by_partner where reporter_code = 'CHN'"
        " and period = '2018-S1' and partner_code = 'WLD' and source = 'published_figures'"
    )
    assert round(change) == -5585


def test_three_partners_hold_half_of_the_deficit_of_china(real: Scenario) -> None:
    ((found, verdict),) = real.warehouse.published(
        "select round(found_value, 1), verdict from marts.mart_published_claims"
        " where claim_id = 'safe-2018s1-deu-jpn-usa-balance-share'"
    )
    assert (found, verdict) == (51.5, "consistent")


@pytest.mark.parametrize(
    ("claim", "verdict", "found"),
    [
        ("boj-2004-japan-first-surplus-year", "confirmed", 2003.0),
        ("boj-2004-japan-2003-balance-sign", "confirmed", 1.0),
        ("safe-2018-payments", "confirmed", 35.782954),
        ("safe-2018-balance", "confirmed", -30.221665),
        ("mofcom-2017-payments", "confirmed", 28.74648),
        ("nsf-2008-usa-2005-receipts", "not_comparable", 64.466),
        ("bea-2022-usa-2020-payments", "older_vintage", 40.682),
    ],
)
def test_the_world_bank_of_2021_on_what_texts_said(
    real: Scenario, claim: str, verdict: str, found: float
) -> None:
    assert real.warehouse.published(
        "select verdict, found_value from marts.mart_published_claims"
        f" where claim_id = '{claim}' and source = 'worldbank_wdi' and release_date = '2021-09-15'"
    ) == [(verdict, found)]


def test_no_text_confirms_itself(real: Scenario) -> None:
    assert (
        real.warehouse.published(
            "select claim_id from marts.mart_published_claims where verdict = 'confirmed'"
            " and source = 'published_figures' and release_date = text_release"
        )
        == []
    )


def test_every_claim_has_a_verdict(real: Scenario) -> None:
    assert real.warehouse.published(
        "select count(*) from marts.mart_published_claims where claim_id is null or verdict not in"
        " ('confirmed', 'consistent', 'contradicted', 'no_data', 'not_comparable', 'older_vintage',"
        " 'revised', 'superseded', 'undecided')"
    ) == [(0,)]


def test_each_claim_has_one_decisive_answer(real: Scenario) -> None:
    assert real.warehouse.published(
        "select count(*) from (select claim_id from marts.mart_published_claims group by claim_id"
        " having count(*) filter (is_decisive) <> 1 or count(distinct overall_verdict) <> 1)"
    ) == [(0,)]
    assert real.warehouse.published(
        "select count(*) - count(distinct claim_id), (select count(distinct claim_id) from"
        " marts.mart_published_claims) - count(*) from marts.claim_verdicts"
    ) == [(0, 0)]
