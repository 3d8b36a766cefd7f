"""The sums of months and quarters, compared with an implementation in Python."""

from collections import defaultdict
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from dagster_project.transform.dbt_runner import DBT_PROJECT

SETTINGS = settings(deadline=None, derandomize=True, max_examples=60, database=None)
NEEDED = {("M", "Q"): 3, ("M", "S"): 6, ("M", "A"): 12, ("Q", "S"): 2, ("Q", "A"): 4}
Statement = dict[str, Any]

MONTHS = [f"2014-{month:02}" for month in range(1, 13)]
QUARTERS = [f"2014-Q{quarter}" for quarter in range(1, 5)]
HALVES = ["2014-S1", "2014-S2"]


@cache
def query(*grain: str) -> str:
    """The macro's SQL over the table `statements`, without dbt."""
    text = "".join(path.read_text() for path in sorted(DBT_PROJECT.glob("macros/*/*.sql")))
    module: Any = Environment(extensions=["jinja2.ext.do"]).from_string(text).module
    return str(module.with_sums_of_periods("statements", list(grain)))


def stated(period: str, value: int | None = 1, **others: Any) -> Statement:
    frequency = "A" if len(period) == 4 else period[5] if period[5] in "QS" else "M"
    return {
        "source": "s",
        "period": period,
        "frequency": frequency,
        "flow": "receipts",
        "value": value,
        "value_usd_m": value,
        "currency": "JPY",
        "release_date": "2021-09-15",
        "rounding": 1,
        "obs_status": "M" if value is None else "A",
        "rate_is_missing": False,
        "comparator": "=",
        **others,
    }


def sums(
    statements: list[Statement], *grain: str, columns: str = "period, flow, value"
) -> list[tuple]:
    """The figures computed from these statements; stated figures do not change."""
    with duckdb.connect() as con:
        con.execute(
            "create table statements (source text, period text, frequency text, flow text,"
            " value decimal(18, 6), value_usd_m decimal(18, 6), currency text, release_date date,"
            " rounding decimal(18, 6), obs_status text, rate_is_missing boolean, comparator text)"
        )
        con.executemany(
            f"insert into statements values ({', '.join('?' * 12)})",
            [list(statement.values()) for statement in statements],
        )
        rows = con.sql(query(*(grain or ("source", "period", "frequency"))))  # noqa: F841
        assert con.sql("select count(*) from rows where not is_computed").fetchall() == [
            (len(statements),)
        ]
        computed = con.sql(f"select {columns} from rows where is_computed order by all")
        return computed.fetchall()


def period_of(period: str, frequency: str) -> str:
    if frequency == "A":
        return period[:4]
    quarter = int(period[6:]) if period[5] == "Q" else (int(period[5:]) + 2) // 3
    return f"{period[:4]}-{frequency}{quarter if frequency == 'Q' else (quarter + 1) // 2}"


def expected(statements: list[Statement]) -> list[tuple]:
    parts = defaultdict(list)
    for statement in statements:
        for part, whole in NEEDED:
            if statement["frequency"] == part and statement["obs_status"] in "AQ":
                of = period_of(statement["period"], whole)
                parts[of, part, statement["flow"], whole].append(statement["value"])
    whole_sums = {
        (period, part, flow): None if None in values else sum(values)
        for (period, part, flow, whole), values in parts.items()
        if len(values) == NEEDED[part, whole]
    }
    used = {
        period: min(
            (value is None, part) for (of, part, _), value in whole_sums.items() if of == period
        )[1]
        for period, _, _ in whole_sums
    }
    known = {statement["period"] for statement in statements}
    return sorted(
        (
            (period, flow, value, "Q" if value is None else "A")
            for (period, part, flow), value in whole_sums.items()
            if period not in known and part == used[period]
        ),
        key=lambda row: row[:2],
    )


@SETTINGS
@given(
    st.dictionaries(
        st.tuples(
            st.sampled_from([*MONTHS, *QUARTERS, *HALVES, "2014"]),
            st.sampled_from(["receipts", "balance"]),
        ),
        st.one_of(st.sampled_from("MQ"), st.integers(-99, 99)),
        min_size=1,
    ),
    st.sets(st.sampled_from([*QUARTERS, *HALVES, "2014"])),
    st.booleans(),
)
def test_complete_sums_replace_missing_statements(
    drawn: dict[tuple[str, str], int | str], unstated: set[str], every_month: bool
) -> None:
    if every_month:  # which chance alone would hardly draw
        drawn = {**{(month, "receipts"): 2 for month in MONTHS}, **drawn}
    statements = [
        stated(period, value, flow=flow)
        if isinstance(value, int)
        else stated(period, None, flow=flow, obs_status=value)
        for (period, flow), value in drawn.items()
        if period not in unstated
    ]
    if statements:
        assert sums(statements, columns="period, flow, value, obs_status") == expected(statements)


def test_months_make_the_year_where_quarters_are_stated_too() -> None:
    quarters = [stated(quarter, 100) for quarter in QUARTERS]
    halves = [(half, "receipts", 200) for half in HALVES]
    assert sums(quarters) == [("2014", "receipts", 400), *halves]
    assert sums(quarters + [stated(month) for month in MONTHS]) == [
        ("2014", "receipts", 12),
        *((half, "receipts", 6) for half in HALVES),
    ]


def test_six_months_or_two_quarters_make_a_half_year() -> None:
    assert sums([stated(month) for month in MONTHS[6:]]) == [
        ("2014-Q3", "receipts", 3),
        ("2014-Q4", "receipts", 3),
        ("2014-S2", "receipts", 6),
    ]
    assert sums([stated(quarter) for quarter in QUARTERS[1:]]) == [("2014-S2", "receipts", 2)]
    assert sums([stated(half) for half in HALVES]) == []


@pytest.mark.parametrize("whole", ["2014", "2014-S1"])
def test_a_whole_that_is_suppressed_or_of_another_flow_is_not_replaced(whole: str) -> None:
    quarters = [stated(quarter) for quarter in QUARTERS]
    others = {"2014", *HALVES} - {whole}
    assert {row[0] for row in sums([*quarters, stated(whole, None, obs_status="Q")])} == others
    assert {row[0] for row in sums([*quarters, stated(whole, 3, flow="payments")])} == others


@pytest.mark.parametrize(
    "other",
    [
        {"release_date": "2020-09-15"},
        {"currency": "USD"},
        {"comparator": ">"},
        {"comparator": "~"},
        {"source": "t"},
    ],
    ids=str,
)
def test_parts_of_two_kinds_are_not_summed(other: dict[str, Any]) -> None:
    three = [stated(quarter) for quarter in QUARTERS[:3]]
    wholes = [
        [row[0] for row in sums([*three, stated("2014-Q4", **fourth)])] for fourth in ({}, other)
    ]
    assert wholes == [["2014", *HALVES], ["2014-S1"]]


def test_a_withheld_part_makes_a_withheld_sum_and_a_missing_one_makes_none() -> None:
    def halves(status: str) -> list[tuple]:
        first, *others = QUARTERS
        parts = [stated(first, None, obs_status=status), *(stated(other, 5) for other in others)]
        columns = "period, value, value_usd_m, rounding, obs_status, rate_is_missing"
        return sums(parts, columns=columns)

    second_half = ("2014-S2", 10, 10, 2, "A", False)
    assert halves("Q") == [
        ("2014", None, None, 4, "Q", False),
        ("2014-S1", None, None, 2, "Q", False),
        second_half,
    ]
    assert halves("M") == [second_half]


def test_quarters_count_before_months_of_which_one_is_withheld() -> None:
    months = [stated(month) for month in MONTHS]
    withheld = [stated(MONTHS[0], None, obs_status="Q"), *months[1:]]
    quarters = [stated(quarter, 100) for quarter in QUARTERS]
    halves = [("2014-S1", "receipts", 6), ("2014-S2", "receipts", 6)]
    assert sums([*quarters, *months]) == [("2014", "receipts", 12), *halves]
    assert sums([*quarters, *withheld]) == [
        ("2014", "receipts", 400),
        ("2014-S1", "receipts", 200),
        halves[1],
    ]


def test_a_release_as_part_of_the_grain_keeps_its_own_sums() -> None:
    grain = ("source", "release_date", "period", "frequency")
    first, second = ([stated(q, n, release_date=f"202{n}-01-01") for q in QUARTERS] for n in (1, 2))
    found = sums([*first, *second[:3]], *grain, columns="release_date::text, period, value")
    assert found == [
        ("2021-01-01", "2014", 4),
        ("2021-01-01", "2014-S1", 2),
        ("2021-01-01", "2014-S2", 2),
        ("2022-01-01", "2014-S1", 4),
    ]


def test_an_uncertain_part_makes_the_sum_uncertain() -> None:
    quarters = [stated(quarter, rounding=0.5) for quarter in QUARTERS]
    quarters[1] |= {"obs_status": "E"}
    columns = "period, value_usd_m, rounding, obs_status, rate_is_missing"
    first_half = ("2014-S1", 2, 1, "E", False)
    assert sums(quarters, columns=columns) == [
        ("2014", 4, 2, "E", False),
        first_half,
        ("2014-S2", 2, 1, "A", False),
    ]
    quarters[2] |= {"value_usd_m": None, "rate_is_missing": True}
    assert sums(quarters, columns=columns) == [
        ("2014", None, 2, "E", True),
        first_half,
        ("2014-S2", None, 1, "A", True),
    ]
