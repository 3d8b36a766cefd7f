"""A SQL literal evaluates to its value, whatever it contains."""

from datetime import date

import duckdb
import pytest

from dagster_project.base.sql import literal, literal_list


@pytest.mark.parametrize(
    "value", ["plain", "it's", "'; drop table made_up; --", "", date(2024, 2, 29)]
)
def test_a_literal_is_its_value(value: str | date) -> None:
    assert duckdb.sql(f"select {literal(value)}").fetchall() == [(value,)]


def test_a_list_is_one_row_and_the_right_side_of_in() -> None:
    values: list[str | date] = ["a", "it's", date(2024, 2, 29)]
    assert duckdb.sql(f"from (values {literal_list(values)})").fetchall() == [tuple(values)]
    assert duckdb.sql(f"select 'b' in {literal_list(['a', 'b'])}").fetchall() == [(True,)]
