"""Dollars checked against the publishers' own files by another path: rates, two sides of a flow.

The files are not part of the repository; where the folder with them is not there, these tests skip.
"""

import csv
import io
import statistics
import zipfile
from decimal import Decimal
from functools import cache
from importlib.resources import files

import pytest
from python_calamine import CalamineWorkbook

from tests.support import REAL_FILES, Scenario

MILLIONTH = Decimal("0.000001")


@cache
def reference_rates() -> list[dict[str, str]]:
    """The ECB's file as served: units of each currency per euro, one row per day."""
    packed = files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        text = archive.read(archive.namelist()[0]).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def per_dollar(currency: str, period: str) -> list[float]:
    """Units of a currency per US dollar on each day whose date begins with the period."""
    return [
        (1.0 if currency == "EUR" else float(day[currency])) / float(day["USD"])
        for day in reference_rates()
        if day["Date"].startswith(period) and day.get(currency) != "N/A"
    ]


def cell(path: str, sheet: str, row: int, column: int) -> float:
    workbook = CalamineWorkbook.from_path(str(REAL_FILES / path))
    found = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)[row][column]
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize("period", ["2016", "2018", "2019", "2020"])
def test_the_components_of_uk_and_us_are_those_computed_by_hand(
    real: Scenario, period: str
) -> None:
    since_2016 = int(period) - 2016
    received = cell("bea_trade_by_area/2021-09-21/us_bop.xls", "Sheet0", 12, 172 + since_2016)
    workbook = "ons_services_by_partner/2021-07-12/servicetypebycountry2020q4.xlsx"
    pounds = cell(workbook, "Time Series", 5806, 5 + since_2016)
    rates = per_dollar("GBP", period)
    rate = statistics.fmean(rates)
    paid = pounds / rate
    rounding = 0.5 + 0.5 / rate
    currency = paid * statistics.pstdev(rates) / rate
    ((*amounts, vintage, method, within),) = real.warehouse.published(
        "select receipts_stated_usd_m, payments_stated_usd_m, asymmetry_usd_m, rounding_usd_m,"
        " currency_usd_m, unexplained_usd_m, vintage_usd_m, method_usd_m, is_within_uncertainty"
        " from marts.mart_mirror_asymmetry"
        f" where receiver_code = 'USA' and payer_code = 'GBR' and period = '{period}'"
    )
    gap = received - paid
    expected = [received, paid, gap, rounding, currency, gap - rounding - currency]
    assert [float(amount) for amount in amounts] == pytest.approx(expected, abs=1e-5)
    # Each side is scaled to the newest total of its own publisher: that of its own table.
    assert (vintage, method, within) == (0, 0, False)


def test_the_gap_of_2019_that_nothing_explains(real: Scenario) -> None:
    """3,819 million pounds at 0.784206 are 4,869.9 dollars; 6,156 - 4,869.9 = 1,286.1.

    Rounding: 0.5 + 0.5 / 0.784206 = 1.1. Exchange rate: 4,869.9 * 2.6527 % = 129.2. The Pink Book
    of October 2020 has payments of 12,540 where the table of July 2021 has 13,759: an older figure,
    which explains nothing of a newer one. 1,286.1 - 1.1 - 129.2 = 1,155.8.
    """
    found = real.warehouse.published(
        "select asymmetry_usd_m, vintage_usd_m, method_usd_m, rounding_usd_m, currency_usd_m,"
        " unexplained_usd_m, receipts_release_date::varchar, payments_release_date::varchar"
        " from marts.mart_mirror_asymmetry"
        " where receiver_code = 'USA' and payer_code = 'GBR' and period = '2019'"
    )
    ((*amounts, received, paid),) = found
    assert [round(amount, 1) for amount in amounts] == [
        Decimal(text) for text in ("1286.1", "0", "0", "1.1", "129.2", "1155.8")
    ]
    assert (received, paid) == ("2021-09-21", "2021-07-12")


def test_the_components_add_up_and_a_withheld_side_stays_visible(real: Scenario) -> None:
    found = real.warehouse.published(
        "select period, comparison, asymmetry_usd_m, vintage_usd_m, method_usd_m, rounding_usd_m,"
        " currency_usd_m, unexplained_usd_m from marts.mart_mirror_asymmetry order by 1"
    )
    assert [(period, comparison) for period, comparison, *_ in found] == [
        (period, "payments withheld" if period == "2017" else "both stated")
        for period in ("2016", "2017", "2018", "2019", "2020")
    ]
    for period, _, asymmetry, *components in found:
        if period == "2017":
            assert [asymmetry, *components] == [None] * 6
        else:
            assert sum(components) == asymmetry


@pytest.mark.parametrize("currency", ["GBP", "JPY", "EUR", "ISK"])
def test_a_rate_is_the_average_of_the_days(real: Scenario, currency: str) -> None:
    found = real.warehouse.published(
        "select period, units_per_usd, days, is_complete from core.dim_exchange_rate"
        f" where currency = '{currency}' and frequency in ('A', 'M') and source like 'ecb%'"
    )
    assert len(found) >= 18 * 13
    for period, units, days, is_complete in found:
        rates = per_dollar(currency, period)
        assert (units, days) == (pytest.approx(statistics.fmean(rates), abs=2e-9), len(rates))
        assert is_complete == (len(rates) == len(per_dollar("USD", period)))


def test_every_dollar_is_the_value_over_the_rate(real: Scenario) -> None:
    """In Decimal instead of SQL, of every row that is stated; none is without a row of rates."""
    rates = {
        (currency, period): units
        for currency, period, units in real.warehouse.published(
            "select currency, period, units_per_usd from core.dim_exchange_rate"
        )
    }
    stated = real.warehouse.published(
        "select currency, period, value, value_usd_m from core.fct_royalty_observations"
        " union all select currency, period, receipts, receipts_usd_m"
        " from core.fct_royalty_flows where not is_computed"
        " union all select currency, period, payments, payments_usd_m"
        " from core.fct_royalty_flows where not is_computed"
    )
    assert len(stated) > 50_000
    for currency, period, value, dollars in stated:
        units = rates[currency, period]
        if value is None or units is None:
            assert dollars is None
        elif currency == "USD":
            assert (units, dollars) == (1, value)
        else:
            assert abs(value / Decimal(units) - dollars) <= MILLIONTH / 2 * Decimal("1.000001")


def test_pounds_before_1999_have_no_rate(real: Scenario) -> None:
    assert real.warehouse.published(
        "select currency, period from core.dim_exchange_rate where method = 'no rate' order by 2"
    ) == [("GBP", "1997"), ("GBP", "1998")]
    assert real.warehouse.published(
        "select min(period) from core.fct_royalty_flows"
        " where source = 'ons_pink_book' and receipts_usd_m is not null"
    ) == [("1999",)]
