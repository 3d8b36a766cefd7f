"""Properties of the macros that read periods and numbers, in DuckDB, without dbt."""

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from dagster_project.transform.dbt_runner import DBT_PROJECT

SETTINGS = settings(deadline=None, derandomize=True, max_examples=60, database=None)
EXACT = settings(SETTINGS, max_examples=400)
PERIODS = st.one_of(
    st.integers(1900, 2099).map(str),
    st.builds("{}-S{}".format, st.integers(1900, 2099), st.integers(1, 2)),
    st.builds("{}-Q{}".format, st.integers(1900, 2099), st.integers(1, 4)),
    st.builds("{}-{:02}".format, st.integers(1900, 2099), st.integers(1, 12)),
)


@cache
def macros(folder: str) -> Any:
    """The macros of a folder, as functions from SQL to SQL."""
    text = "".join(path.read_text() for path in sorted((DBT_PROJECT / "macros" / folder).iterdir()))
    return Environment(extensions=["jinja2.ext.do"]).from_string(text).module


DATABASE = duckdb.connect()  # one for thousands of examples: to open it costs more than to ask


def evaluated(sql: str) -> Any:
    return DATABASE.execute(f"select {sql}").fetchall()[0][0]


@SETTINGS
@given(PERIODS)
def test_a_period_is_that_of_its_first_day(period: str) -> None:
    of = macros("periods")
    start = of.period_start(f"'{period}'")
    assert evaluated(of.period_of_day(start, of.period_frequency(f"'{period}'"))) == period


@SETTINGS
@given(PERIODS)
def test_the_same_period_a_year_before_begins_a_year_before(period: str) -> None:
    of = macros("periods")
    # DuckDB knows `string`, as Spark does.
    before = evaluated(of.period_start(of.period_year_before(f"'{period}'")))
    start = evaluated(of.period_start(f"'{period}'"))
    assert before == start.replace(year=start.year - 1)


@SETTINGS
@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from("ASQM"))
def test_a_day_is_in_its_period(day: date, frequency: str) -> None:
    of = macros("periods")
    period = evaluated(of.period_of_day(f"date '{day}'", f"'{frequency}'"))
    months = {"A": 12, "S": 6, "Q": 3, "M": 1}[frequency]
    start = evaluated(of.period_start(f"'{period}'"))
    assert timedelta(0) <= day - start <= timedelta(days=31 * months)
    assert evaluated(of.period_frequency(f"'{period}'")) == frequency


@st.composite
def stated_numbers(draw: st.DrawFn) -> tuple[str, Decimal]:
    """A number of 1 to 15 significant digits as files have it: plain, with commas, with exponent.

    There are up to 15 digits before the point or after it; the second is the number itself.
    """
    digits = draw(st.integers(1, 15))
    last = draw(st.integers(-15, 15 - digits))  # the power of ten of the last digit
    mantissa = draw(st.integers(10 ** (digits - 1), 10**digits - 1)) * draw(
        st.sampled_from([1, -1])
    )
    number = Decimal(mantissa).scaleb(last)
    text = str(abs(mantissa))
    exponent = last + digits - 1
    scientific = f"{'-' if mantissa < 0 else ''}{text[0]}{'.' if digits > 1 else ''}{text[1:]}"
    forms = [
        f"{number:f}",
        f"{number:,f}",
        f"{scientific}E{exponent:+03d}",  # as a spreadsheet saves it
        f"{scientific}e{exponent}",
    ]
    return draw(st.sampled_from(forms)), number


@EXACT
@given(stated_numbers(), st.sampled_from([0, 3, 6, 8, 9, 12]))
def test_no_digit_is_lost_from_a_text_to_millions(
    stated: tuple[str, Decimal], multiplier: int
) -> None:
    text, number = stated
    exact = number.scaleb(multiplier - 6)
    assume(multiplier <= 8 or abs(exact) < 10**17)
    of = macros("numbers")
    found = evaluated(of.millions(of.number_in(f"'{text}'"), str(multiplier)))
    assert found == exact


@EXACT
@given(stated_numbers())
def test_the_unit_of_the_last_digit_is_that_of_the_text(stated: tuple[str, Decimal]) -> None:
    text, _ = stated
    exponent = Decimal(text.replace(",", "")).as_tuple().exponent
    assert isinstance(exponent, int)
    assert evaluated(macros("numbers").last_digit(f"'{text}'")) == Decimal(1).scaleb(exponent)


def halves(number: int) -> Decimal:
    """A number that is halfway between two amounts of money, or one of them."""
    return number * Decimal("0.0000005")


@SETTINGS
@given(st.decimals(-(10**11), 10**11, places=21) | st.integers(-(10**17), 10**17).map(halves))
def test_an_exact_number_becomes_the_same_money_by_either_way(number: Decimal) -> None:
    of = macros("numbers")
    exact = of.exact(f"'{number:f}'")
    assert evaluated(of.exact_as_money(exact)) == evaluated(of.money(exact))


def exceeds(*terms: str | None) -> bool:
    """Whether the sum of these texts is further from zero than their rounding allows."""
    of = macros("numbers")
    listed = ", ".join("(null)" if term is None else f"('{term}')" for term in terms)
    return evaluated(
        f"abs(sum(value)) > {of.tolerance_of_sum()} from ("
        f"select {of.number_in('term')} as value, coalesce({of.last_digit('term')}, 1) as rounding"
        f" from (values {listed}) as terms (term)) as stated"
    )


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        # China, second quarter of 2002: three terms of twelve decimals leave 1.5 units open.
        (
            ["-5.343763394293", "-0.434482853853", "5.778246248147"],
            ["-5.343763394293", "-0.434482853852", "5.778246248147"],
        ),
        # Four quarters and their year in whole millions: 2.5.
        (["40", "-10", "-10", "-10", "-8"], ["40", "-10", "-10", "-10", "-7"]),
        # Each term at its own last digit: 0.5 + 0.05 + 0.005 = 0.555.
        (["12", "-10.5", "-0.95"], ["12", "-10.5", "-0.94"]),
        # A suppressed figure is not a term, and leaves nothing open.
        (["3", "-2", None, None], ["4", "-2", None, None]),
        # A spreadsheet with an exponent: half of 10^9 and half of 1.
        (["1.28E+11", "-127500000000"], ["1.28E+11", "-127499999998"]),
    ],
)
def test_a_sum_may_be_off_by_half_a_last_digit_per_term(
    within: list[str | None], beyond: list[str | None]
) -> None:
    assert not exceeds(*within)
    assert exceeds(*beyond)


@EXACT
@given(st.lists(st.floats(0.001, 10**6), min_size=2, max_size=12), st.booleans())
def test_a_sum_of_floating_point_numbers_is_not_blamed(parts: list[float], rounded: bool) -> None:
    """`rounded`: saved with 15 digits, as Excel does, and not with all its digits."""
    texts = [f"{Decimal(f'{part:.15g}' if rounded else repr(part)):f}" for part in parts]
    total = sum(map(float, texts))
    whole = f"{Decimal(f'{total:.15g}' if rounded else repr(total)):f}"
    assert not exceeds(whole, *(f"-{text}" for text in texts))


def test_a_macro_is_in_the_file_of_its_name() -> None:
    for path in DBT_PROJECT.glob("macros/**/*.sql"):
        assert re.findall(r"{%-? macro (\w+)\(", path.read_text()) == [path.stem]
