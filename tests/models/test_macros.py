"""Properties of the macros that read periods and numbers, in DuckDB, without dbt."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from dagster_project.models.dbt import DBT_PROJECT

SETTINGS = settings(deadline=None, derandomize=True, max_examples=60, database=None)
PERIODS = st.one_of(
    st.integers(1900, 2099).map(str),
    st.builds("{}-S{}".format, st.integers(1900, 2099), st.integers(1, 2)),
    st.builds("{}-Q{}".format, st.integers(1900, 2099), st.integers(1, 4)),
    st.builds("{}-{:02}".format, st.integers(1900, 2099), st.integers(1, 12)),
)


@cache
def macros(file: str) -> Any:
    """The macros of a file, as functions from SQL to SQL."""
    text = (DBT_PROJECT / "macros" / file).read_text()
    return Environment(extensions=["jinja2.ext.do"]).from_string(text).module


def evaluated(sql: str) -> Any:
    with duckdb.connect() as con:
        return con.execute(f"select {sql}").fetchall()[0][0]


@SETTINGS
@given(PERIODS)
def test_a_period_is_that_of_its_first_day(period: str) -> None:
    of = macros("periods.sql")
    start = of.period_start(f"'{period}'")
    assert evaluated(of.period_of_day(start, of.period_frequency(f"'{period}'"))) == period


@SETTINGS
@given(PERIODS)
def test_the_same_period_a_year_before_begins_a_year_before(period: str) -> None:
    of = macros("periods.sql")
    # DuckDB knows `string`, as Spark does.
    before = evaluated(of.period_start(of.period_year_before(f"'{period}'")))
    start = evaluated(of.period_start(f"'{period}'"))
    assert before == start.replace(year=start.year - 1)


@SETTINGS
@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from("ASQM"))
def test_a_day_lies_in_its_period(day: date, frequency: str) -> None:
    of = macros("periods.sql")
    period = evaluated(of.period_of_day(f"date '{day}'", f"'{frequency}'"))
    months = {"A": 12, "S": 6, "Q": 3, "M": 1}[frequency]
    start = evaluated(of.period_start(f"'{period}'"))
    assert timedelta(0) <= day - start <= timedelta(days=31 * months)
    assert evaluated(of.period_frequency(f"'{period}'")) == frequency


@SETTINGS
@given(st.integers(1, 99), st.text("0123456789", max_size=4), st.integers(0, 14))
def test_a_number_with_an_exponent_is_rounded_at_its_last_digit(
    whole: int, decimals: str, exponent: int
) -> None:
    text = f"{whole}{'.' if decimals else ''}{decimals}E+{exponent}"
    rounding = evaluated(macros("numbers.sql").exponent_rounding(f"'{text}'"))
    stated = Decimal(text).as_tuple().exponent
    assert isinstance(stated, int)
    assert rounding == pytest.approx(10.0**stated)


@SETTINGS
@given(st.decimals(-(10**7), 10**7, places=3), st.sampled_from([0, 6, 9]))
def test_millions_are_what_was_stated(value: Decimal, multiplier: int) -> None:
    found = evaluated(macros("numbers.sql").millions(f"'{value}'", f"'{multiplier}'"))
    exact = value * Decimal(10) ** (multiplier - 6)
    assert abs(found - exact) <= Decimal("0.000001") + abs(exact) * Decimal("1e-15")
