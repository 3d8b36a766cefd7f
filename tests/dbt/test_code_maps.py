"""Rows of the code maps are valid by release: no two rows of a code for the same one."""

import duckdb

from dagster_project.transform.dbt_runner import run_dbt
from tests.support import Warehouse

MAPS = ("category", "currency", "economy", "sector")
COLUMNS = {
    "category": "source, source_code, category_code, valid_from, valid_to",
    "currency": "source, source_code, currency, first_year, last_year, valid_from, valid_to",
    "economy": "source, source_code, economy_code, valid_from, valid_to",
    "sector": "source, source_code, sector_code, valid_from, valid_to",
}


def overlaps(warehouse: Warehouse, rows: dict[str, list[str]]) -> dict[str, int]:
    """How many rows each test on overlaps finds, with rows (in SQL) added to the maps."""
    with duckdb.connect(warehouse.settings.workbench) as con:
        for dimension, added in rows.items():
            table = f"seeds.{dimension}_code_map"
            con.execute(f"delete from {table} where source = 'ons_itis'")
            for row in added:
                con.execute(
                    f"insert into {table} ({COLUMNS[dimension]}) values ('ons_itis', {row})"
                )
    ran = run_dbt(warehouse.settings, ["test", "--select", "test_name:one_at_a_time"])
    found = {result.node.name.removeprefix("one_at_a_time_"): result.failures for result in ran}
    return {name: failures for name, failures in found.items() if failures}


def test_an_overlap_is_found_in_every_map(warehouse: Warehouse) -> None:
    warehouse.restore_candidate()
    assert overlaps(warehouse, {}) == {}

    # Adjacent rows do not overlap; nor do rows of one country in different years.
    good = ["'A', 'x', null, date '2022-01-28'", "'A', 'y', date '2022-01-28', null"]
    years = [
        "'A', 'AAA', null, 2009, null, null",
        "'A', 'BBB', 2010, null, null, date '2022-01-28'",
        "'A', 'CCC', 2010, null, date '2022-01-28', null",
    ]
    codes = [dimension for dimension in MAPS if dimension != "currency"]
    assert overlaps(warehouse, {**dict.fromkeys(codes, good), "currency": years}) == {}

    # An overlap of one day; a duplicate row; a row that ends before it begins.
    bad = [
        "'A', 'x', null, date '2022-01-29'",
        "'A', 'y', date '2022-01-28', null",
        "'B', 'x', null, null",
        "'B', 'x', null, null",
        "'C', 'x', date '2022-01-28', date '2022-01-28'",
    ]
    years = [
        "'A', 'AAA', null, 2010, null, null",
        "'A', 'BBB', 2010, null, null, null",  # a year in two currencies
        "'B', 'BBB', null, null, null, null",  # a currency of two countries
    ]
    assert overlaps(warehouse, {**dict.fromkeys(codes, bad), "currency": years}) == {
        "category_code_map_source_code": 3,
        "currency_code_map_currency": 1,
        "currency_code_map_source_code": 1,
        "economy_code_map_source_code": 3,
        "sector_code_map_source_code": 3,
    }
