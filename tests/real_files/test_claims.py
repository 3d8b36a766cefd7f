"""Every statement of the three founding texts: verdict, path and deviation, computed by hand.

The numbers are those of the texts and of the publishers' files; the arithmetic is here, not in
the models. Tests skip where the files are not there.
"""

from typing import Any

import pytest

from dagster_project.sources import all_sources
from tests.support import Scenario

FOUNDING = ("boj-2004-", "csis-2025-", "safe-2018s1-")

# Billions of US dollars. SAFE's workbook, sheet of quarters in dollars: Q1 + Q2 of 2018 and 2017.
R18, R17 = (12.8982735421 + 14.5469730731) / 10, (9.2041754797 + 12.7447213182) / 10
P18, P17 = (89.8733903826 + 103.0225562242) / 10, (65.6406765853 + 77.997149646) / 10
B18, B17 = R18 - P18, R17 - P17
T18, T17 = R18 + P18, R17 + P17
# The text on China's first half of 2018.
RECEIPTS, PAYMENTS, BALANCE, TOTAL = 2.737, 19.268, -16.531, 22.005
# World Bank, Japan in 2003 and 2020, the United States in 1998 and 2003.
JAPAN_2003 = 12.2706873590694 - 11.0033888519008
JAPAN_2020 = 43.0384547138599 - 28.2182835701924
# The text of 2024 on Japan, in billions of yen.
COPYRIGHT_2003, COPYRIGHT_2023 = 149.1 - 483, 3150.8 - 4930.6

OWN, SAFE, WDI = "published_figures", "safe_bop_time_series", "worldbank_wdi"
SUM = "sum of shorter periods"
TWO_YEARS = "levels of two years, of sums of shorter periods"
PART, OF_SHARE, MAJORITY = "part / total", "share x total", "share above one half"
REST = "joint share x total - the other partners"
ALONE = "one member stated, its competitors not"

# Claim: overall verdict, source, path, value found (in the unit of the claim).
STATEMENTS: dict[str, tuple[str, str | None, str | None, float | None]] = {
    # Bank of Japan, 2004.
    "boj-2004-japan-first-surplus-year": ("confirmed", WDI, "first balance above zero", 2003),
    "boj-2004-japan-2003-balance-sign": ("confirmed", WDI, "receipts - payments", 1),
    "boj-2004-japan-copyright-balance-sign": ("confirmed", OWN, "total - industrial property", -1),
    "boj-2004-japan-balance-after-2003": (
        "confirmed",
        WDI,
        "change since 2003",
        100 * (JAPAN_2020 / JAPAN_2003 - 1),
    ),
    "boj-2004-japan-copyright-balance-2023": (
        "contradicted",
        OWN,
        "change since 2003",
        100 * (COPYRIGHT_2023 - COPYRIGHT_2003) / -COPYRIGHT_2003,
    ),
    "boj-2004-usa-receipts-maintained": (
        "confirmed",
        WDI,
        "change since 1998",
        100 * (47.307 / 35.626 - 1),
    ),
    **dict.fromkeys(
        (
            "boj-2004-japan-usa-balance-sign",
            "boj-2004-japan-usa-industrial-property-first-surplus-year",
            "boj-2004-japan-usa-2002-industrial-property-balance-sign",
            "boj-2004-japan-usa-2002-automobiles-balance-sign",
            "boj-2004-japan-usa-2002-electrical-machinery-balance-sign",
            "boj-2004-japan-usa-2002-electronics-balance-sign",
            "boj-2004-japan-usa-copyright-balance-sign",
            "boj-2004-japan-usa-software-balance-sign",
            "boj-2004-japan-usa-copyright-balance-share",
            "boj-2004-japan-china-2003s1-receipts-share",
            "boj-2004-japan-china-receipts-share-after-2003",
            "boj-2004-japan-copyright-balance-2006",
            "boj-2004-japan-automobiles-receipts-after-2003",
            "boj-2004-japan-affiliated-receipts-increase",
            "boj-2004-usa-affiliated-receipts-share-peak",
            "boj-2004-usa-affiliated-receipts-share-trend",
            "boj-2004-usa-unaffiliated-receipts-maintained",
        ),
        ("no_data", None, None, None),
    ),
    # CSIS, 2025.
    "csis-2025-usa-2022-receipts": ("consistent", OWN, "payments + balance", 53 + 74),
    "csis-2025-usa-2022-payments": ("consistent", OWN, "receipts - balance", 127 - 74),
    "csis-2025-usa-2022-balance": ("consistent", OWN, "receipts - payments", 127 - 53),
    "csis-2025-usa-2022-balance-sign": ("consistent", OWN, "receipts - payments", 1),
    "csis-2025-usa-2022-receipts-rank": ("consistent", OWN, "larger than the second", 1),
    "csis-2025-usa-deu-2022-receipts-ratio": ("consistent", OWN, "one / other", 127 / 53),
    "csis-2025-deu-2022-receipts-rank": ("undecided", OWN, ALONE, None),
    "csis-2025-deu-2022-receipts": ("no_data", None, None, None),
    "csis-2025-chn-2022-balance": (
        "confirmed",
        SAFE,
        "as stated",
        (133.06961003 - 444.6143463) / 10,
    ),
    "csis-2025-chn-2022-balance-sign": ("confirmed", SAFE, "as stated", -1),
    # SAFE, first half of 2018.
    "safe-2018s1-total-trade": (
        "confirmed",
        SAFE,
        "receipts + payments, of sums of shorter periods",
        T18,
    ),
    "safe-2018s1-total-trade-growth": ("contradicted", SAFE, TWO_YEARS, 100 * (T18 / T17 - 1)),
    "safe-2018s1-receipts": ("revised", SAFE, SUM, R18),
    "safe-2018s1-receipts-growth": ("contradicted", SAFE, TWO_YEARS, 100 * (R18 / R17 - 1)),
    "safe-2018s1-receipts-growth-sign": ("confirmed", SAFE, TWO_YEARS, 100 * (R18 / R17 - 1)),
    "safe-2018s1-payments": ("revised", SAFE, SUM, P18),
    "safe-2018s1-payments-growth": ("contradicted", SAFE, TWO_YEARS, 100 * (P18 / P17 - 1)),
    "safe-2018s1-payments-growth-sign": ("confirmed", SAFE, TWO_YEARS, 100 * (P18 / P17 - 1)),
    "safe-2018s1-receipts-growth-lead": (
        "contradicted",
        SAFE,
        f"receipts - payments, {TWO_YEARS}",
        100 * (R18 / R17 - P18 / P17),
    ),
    "safe-2018s1-balance": ("revised", SAFE, SUM, B18),
    "safe-2018s1-balance-change": ("contradicted", SAFE, TWO_YEARS, B18 - B17),
    "safe-2018s1-balance-change-sign": ("confirmed", SAFE, TWO_YEARS, B18 - B17),
    "safe-2018s1-receipts-share-of-trade": (
        "confirmed",
        SAFE,
        "receipts / total",
        100 * R18 / T18,
    ),
    "safe-2018s1-payments-share-of-trade": (
        "confirmed",
        SAFE,
        "payments / total",
        100 * P18 / T18,
    ),
    "safe-2018s1-deu-balance": ("consistent", OWN, REST, 0.515 * BALANCE + 2.932 + 2.46),
    "safe-2018s1-jpn-balance": ("consistent", OWN, REST, 0.515 * BALANCE + 3.127 + 2.46),
    "safe-2018s1-usa-balance": ("consistent", OWN, REST, 0.515 * BALANCE + 3.127 + 2.932),
    "safe-2018s1-deu-jpn-usa-balance-share": (
        "consistent",
        OWN,
        PART,
        100 * (3.127 + 2.932 + 2.46) / 16.531,
    ),
    "safe-2018s1-deu-jpn-balance-ratio": ("consistent", OWN, "one / other", 3.127 / 2.932),
    "safe-2018s1-jpn-usa-balance-ratio": ("consistent", OWN, "one / other", 2.932 / 2.46),
    "safe-2018s1-deu-deficit-rank": ("undecided", OWN, ALONE, None),
    "safe-2018s1-jpn-deficit-rank": ("undecided", OWN, ALONE, None),
    "safe-2018s1-usa-deficit-rank": ("undecided", OWN, ALONE, None),
    "safe-2018s1-manufacturing-receipts": ("consistent", OWN, OF_SHARE, 0.781 * RECEIPTS),
    "safe-2018s1-manufacturing-receipts-share": ("consistent", OWN, PART, 213.8 / RECEIPTS),
    "safe-2018s1-manufacturing-receipts-rank": ("consistent", OWN, MAJORITY, 1),
    "safe-2018s1-manufacturing-receipts-growth": ("no_data", None, None, None),
    "safe-2018s1-manufacturing-payments": ("consistent", OWN, OF_SHARE, 0.704 * PAYMENTS),
    "safe-2018s1-manufacturing-payments-share": ("consistent", OWN, PART, 1355.9 / PAYMENTS),
    "safe-2018s1-manufacturing-payments-rank": ("consistent", OWN, MAJORITY, 1),
    "safe-2018s1-manufacturing-payments-growth": ("no_data", None, None, None),
    "safe-2018s1-software-receipts": ("consistent", OWN, OF_SHARE, 0.787 * RECEIPTS),
    "safe-2018s1-software-receipts-share": ("consistent", OWN, PART, 215.3 / RECEIPTS),
    "safe-2018s1-software-receipts-rank": ("consistent", OWN, MAJORITY, 1),
    "safe-2018s1-software-receipts-growth": ("no_data", None, None, None),
    "safe-2018s1-rnd-payments": ("consistent", OWN, OF_SHARE, 0.443 * PAYMENTS),
    "safe-2018s1-rnd-payments-share": ("consistent", OWN, PART, 854 / PAYMENTS),
    "safe-2018s1-rnd-payments-rank": ("undecided", OWN, ALONE, None),
    "safe-2018s1-rnd-payments-growth": ("no_data", None, None, None),
    "safe-2018s1-guangdong-receipts": ("consistent", OWN, OF_SHARE, 0.834 * RECEIPTS),
    "safe-2018s1-guangdong-receipts-share": ("consistent", OWN, PART, 228.4 / RECEIPTS),
    "safe-2018s1-guangdong-receipts-rank": ("consistent", OWN, MAJORITY, 1),
    "safe-2018s1-guangdong-payments": ("consistent", OWN, OF_SHARE, 0.304 * PAYMENTS),
    "safe-2018s1-guangdong-payments-share": ("consistent", OWN, PART, 584.9 / PAYMENTS),
    "safe-2018s1-guangdong-payments-rank": ("undecided", OWN, ALONE, None),
}
# Statements without a figure to deviate from: signs, ranks, years, open bounds.
NO_FIGURE = ("-sign", "-rank", "-year", "-ratio", "-lead", "-share-of-trade", "-maintained")
NO_FIGURE_BUT = ("-after-2003", "-2023", "-2006")


@pytest.fixture(scope="module")
def verdicts(union: Scenario) -> dict[str, dict[str, Any]]:
    columns = (
        "claim_id, verdict, source, method, found_value, stated_value, deviation_pct,"
        " series_begins, superseded_by, data_would_be_in"
    )
    rows = union.warehouse.published(f"select {columns} from marts.claim_verdicts")
    return {row[0]: dict(zip(columns.split(", "), row, strict=True)) for row in rows}


def test_each_statement_of_the_three_texts_is_expected(verdicts: dict[str, Any]) -> None:
    assert {claim for claim in verdicts if claim.startswith(FOUNDING)} == set(STATEMENTS)


@pytest.mark.parametrize("claim", STATEMENTS)
def test_a_statement_has_verdict_path_and_deviation(verdicts: dict[str, Any], claim: str) -> None:
    verdict, source, method, found = STATEMENTS[claim]
    answer = verdicts[claim]
    assert (answer["verdict"], answer["source"], answer["method"]) == (verdict, source, method)
    assert answer["found_value"] == (None if found is None else pytest.approx(found, abs=1e-6))
    if found is None or claim.endswith((*NO_FIGURE, *NO_FIGURE_BUT)):
        assert answer["deviation_pct"] is None
    else:
        stated = answer["stated_value"]
        deviation = 100 * (found - stated) / abs(stated)
        assert answer["deviation_pct"] == pytest.approx(deviation, abs=1e-4)
    assert (answer["data_would_be_in"] is not None) == (verdict in ("no_data", "undecided"))


@pytest.mark.parametrize(
    ("claim", "deviation"),
    [
        ("safe-2018s1-receipts", 0.2749),  # 2.744525 where the text has 2.737
        ("safe-2018s1-receipts-growth", -59.6754),  # 25.04 % where the text has 62.1 %
        ("safe-2018s1-balance", -0.0851),
        ("csis-2025-chn-2022-balance", -0.4983),
        ("mofcom-2017-payments", 0.0225),  # 28.74648 cut off is 28.74
    ],
)
def test_deviations_as_written_down(verdicts: dict[str, Any], claim: str, deviation: float) -> None:
    assert verdicts[claim]["deviation_pct"] == deviation


def test_a_first_surplus_says_since_when(verdicts: dict[str, Any]) -> None:
    assert verdicts["boj-2004-japan-first-surplus-year"]["series_begins"] == "1996"


def test_newer_figures_of_the_half_year_are_named(verdicts: dict[str, Any]) -> None:
    superseded = {claim: of["superseded_by"] for claim, of in verdicts.items()}
    assert {claim for claim, by in superseded.items() if by} == {
        f"safe-2018s1-{flow}" for flow in ("receipts", "payments", "balance")
    }
    assert superseded["safe-2018s1-balance"] == "safe_bop_time_series 2024-03-29"


@pytest.mark.parametrize(
    ("claim", "verdict", "deviation"),
    [
        ("bea-2022-usa-2020-payments", "older_vintage", -5.3907),  # 40.682, of September 2021
        ("bea-2022-usa-2020-receipts", "older_vintage", 0.2153),
        ("nsf-2008-usa-2005-receipts", "not_comparable", 12.3101),  # BPM5 against BPM6
        ("nsf-2008-usa-2005-payments-growth", "not_comparable", -4.4614),
        ("japan-times-2002-japan-2001-receipts", "not_comparable", 1.6105),
        ("mofcom-2017-payments", "confirmed", 0.0225),
    ],
)
def test_the_world_bank_of_2021_contradicts_no_text_of_another_time_or_concept(
    union: Scenario, claim: str, verdict: str, deviation: float
) -> None:
    assert union.warehouse.published(
        "select verdict, deviation_pct from marts.mart_published_claims"
        f" where claim_id = '{claim}' and source = '{WDI}' and release_date = '2021-09-15'"
    ) == [(verdict, deviation)]


def test_the_system_of_the_wto_adds_up_to_half_years_too(union: Scenario) -> None:
    # Months of the file: receipts 2018 and 2017, payments 2018 and 2017.
    receipts, before = 2.741055734, 2.174349722
    payments, payments_before = 19.10918433, 14.298243389
    found = dict(
        union.warehouse.published(
            "select claim_id, found_value from marts.mart_published_claims"
            " where source = 'wto_stats' and claim_id like 'safe-2018s1-%'"
        )
    )
    expected = {
        "safe-2018s1-receipts": receipts,
        "safe-2018s1-payments": payments,
        "safe-2018s1-receipts-growth": 100 * (receipts / before - 1),
        "safe-2018s1-payments-growth": 100 * (payments / payments_before - 1),
    }
    assert {claim: found[claim] for claim in expected} == pytest.approx(expected, abs=1e-5)


def test_a_source_to_look_at_exists(verdicts: dict[str, Any]) -> None:
    """A source of the project that a claim names is spelt as the project spells it."""
    texts = [of["data_would_be_in"] for of in verdicts.values() if of["data_would_be_in"]]
    named = {word.strip("();,") for text in texts for word in text.split() if "_" in word}
    assert named - {"bp_m", "regbp_q"} <= set(all_sources())
