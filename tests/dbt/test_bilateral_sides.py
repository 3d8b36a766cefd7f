"""Which side of its joins DuckDB holds in memory: 1.6 million flows did not fit in 700 MB."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from dbt.contracts.graph.nodes import ModelNode

from dagster_project.base.settings import Settings
from dagster_project.transform.dbt_runner import run_dbt

# As many flows between countries as make DuckDB's estimates matter: 100 reporters and partners.
TABLES = """
attach ':memory:' as royalty_flows;
attach ':memory:' as workbench;
create schema royalty_flows.core;
create schema workbench.intermediate;
create table royalty_flows.core.dim_source as
select
    's' || n as source, 'p' || n as publisher, n::int as precedence, n::int as publisher_precedence,
    'national' as kind
from range(20) as numbers (n);
create table royalty_flows.core.dim_reporter as
select 'R' || n as reporter_code, 'country' as kind from range(400) as numbers (n);
create table royalty_flows.core.dim_partner as
select 'R' || n as partner_code, 'country' as kind from range(400) as numbers (n);
create table workbench.intermediate.int_exchange_rates as
select 'GBP' as currency, n::varchar as period, 0.8 as units_per_usd, 0.1 as relative_deviation
from range(1900, 2020) as numbers (n);
create table royalty_flows.core.fct_royalty_flows as
select
    's1' as source, 'BPM6_SH' as concept, years.n::varchar as period, 'A' as frequency,
    'R' || reporters.n as reporter_code,
    case partners.n when 0 then 'WLD' else 'R' || partners.n end as partner_code,
    '_T' as sector_code, '_T' as category_code, '_T' as affiliation_code, '_T' as region_code,
    date '2020-01-01' as release_date, 'USD' as currency, false as is_computed,
    1::decimal(38, 21) as receipts_usd_m, 1::decimal(38, 21) as payments_usd_m,
    'A' as receipts_status, 'A' as payments_status
from range(100) as reporters (n), range(100) as partners (n), range(2000, 2020) as years (n);
create table royalty_flows.core.fct_royalty_observations as
select
    * exclude (is_computed, receipts_usd_m, payments_usd_m, receipts_status, payments_status),
    'receipts' as flow, 0::decimal(38, 21) as rounding,
    '=' as comparator, 1 as statement_number
from royalty_flows.core.fct_royalty_flows;
"""


def test_the_small_tables_are_held_in_memory_and_not_the_flows(tmp_path: Path) -> None:
    sql = _compiled(tmp_path)
    with duckdb.connect() as con:
        con.execute(TABLES)
        [(_, plan)] = con.execute(f"explain (format json) {sql}").fetchall()
    joins = [node for node in _nodes(json.loads(plan)[0]) if node["name"] == "HASH_JOIN"]
    assert len(joins) >= 6
    assert [join["extra_info"] for join in joins if _holds_flows(join)] == []


def test_a_second_run_compiles_the_same_query(tmp_path: Path) -> None:
    first, second = _compiled(tmp_path), _compiled(tmp_path)
    assert first == second
    assert "__dbt__cte__int_bilateral_sides as (" in second


def _compiled(warehouse: Path) -> str:
    settings = Settings(warehouse_dir=warehouse)
    results = run_dbt(settings, ["compile", "--select", "mart_mirror_asymmetry"])
    [sql] = [
        result.node.compiled_code or ""
        for result in results
        if isinstance(result.node, ModelNode) and result.node.name == "mart_mirror_asymmetry"
    ]
    return sql


def _holds_flows(join: Mapping[str, Any]) -> bool:
    """Whether the side that a join holds is made from all flows, not from the totals alone."""
    scans = [node["extra_info"] for node in _nodes(join["children"][1])]
    return any(
        "fct_royalty_flows" in scan.get("Table", "") and "WLD" not in str(scan.get("Filters"))
        for scan in scans
    )


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan["children"]:
        yield from _nodes(child)
