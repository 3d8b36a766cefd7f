"""Report, Superset, metrics and table macros show the totals of the tables that add up."""

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.report.query import PAGES, Queries
from dagster_project.transform.dbt_runner import manifest
from tests.support import Scenario

REPORTERS = ("CHN", "DEU", "GBR", "IRL", "JPN", "KOR", "USA")
YEARS = range(2002, 2021)
FLOWS = ("receipts", "payments", "balance")
DIMENSIONS = ("partner", "sector", "category", "affiliation", "subdivision")
SUPERSET = PROJECT_ROOT / "superset" / "assets"
Totals = dict[tuple[str, int], tuple[Any, ...]]


@pytest.fixture(scope="module")
def live(real: Scenario) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(real.warehouse.settings.warehouse, read_only=True) as con:
        yield con


@pytest.fixture(scope="module")
def totals(live: duckdb.DuckDBPyConnection) -> Totals:
    """Receipts, payments and balance by reporter and year, as `flows_by_country` has them."""
    rows = live.execute(
        "select reporter_code, year, receipts_usd_m, payments_usd_m, balance_usd_m"
        f" from marts.flows_by_country where reporter_code in {REPORTERS}"
    ).fetchall()
    found = {(code, year): tuple(flows) for code, year, *flows in rows if year in YEARS}
    assert len(found) > 110
    return found


def dataset(table: str) -> dict[str, Any]:
    path = SUPERSET / "datasets" / "royalty_flows" / f"{table}.yaml"
    return yaml.safe_load(path.read_text("utf-8"))


def superset_sql(table: str, columns: str, where: str) -> str:
    """Return the query that a chart with these columns makes of a dataset and its metrics."""
    found = dataset(table)
    metrics = {metric["metric_name"]: metric["expression"] for metric in found["metrics"]}
    selected = ", ".join(f"{metrics[flow]} as {flow}" for flow in FLOWS)
    return (
        f"select {columns}, {selected} from ({found['sql']}) as virtual_table"
        f" where {where} group by {columns}"
    )


def test_the_report_has_the_same_totals(live: duckdb.DuckDBPyConnection, totals: Totals) -> None:
    queries = Queries(live)
    shown = {
        (code, int(row["period"])): tuple(row[f"{flow}_usd_m"] for flow in FLOWS)
        for code in REPORTERS
        for row in queries.ask("reporters/balance", code=code).records()
        if int(row["period"]) in YEARS
    }
    assert shown == totals
    for study, code in (("japan", "JPN"), ("united_states", "USA")):
        for row in queries.ask(f"studies/{study}").records():
            if int(row["period"]) in YEARS:
                flows = tuple(row[f"{flow}_usd_m"] for flow in FLOWS)
                assert flows == totals[code, int(row["period"])]
    ranking = queries.ask("studies/ranking", flow="receipts", top=10).records()
    assert {row["period"] for row in ranking} == {"2020"}
    for row in ranking:
        if row["reporter_code"] in REPORTERS:
            flows = tuple(row[f"{flow}_usd_m"] for flow in FLOWS)
            assert flows == totals[row["reporter_code"], 2020]


def test_superset_has_the_same_totals(live: duckdb.DuckDBPyConnection, totals: Totals) -> None:
    sql = superset_sql(
        "flows_by_country",
        "reporter_code, year",
        f"frequency = 'A' and reporter_code in {REPORTERS}",
    )
    shown = {(code, year): tuple(flows) for code, year, *flows in live.execute(sql).fetchall()}
    assert {key: flows for key, flows in shown.items() if key[1] in YEARS} == totals


def test_the_metrics_have_the_same_totals(live: duckdb.DuckDBPyConnection, totals: Totals) -> None:
    pytest.importorskip("metricflow", reason="the dependency group `semantic` is not installed")
    from dagster_project.transform.metricflow import metric_sql

    sql = metric_sql(FLOWS, by=["metric_time__year", "reporter"])
    shown = {
        (code, start.year): tuple(flows) for start, code, *flows in live.execute(sql).fetchall()
    }
    assert {key: shown[key] for key in totals} == totals


def test_breakdowns_sum_to_the_same_totals(live: duckdb.DuckDBPyConnection, totals: Totals) -> None:
    """Wherever the source of the breakdown is that of the country's total."""
    queries = Queries(live)
    compared = 0
    for dimension in DIMENSIONS:
        for code, year in live.execute(
            f"select distinct reporter_code, year from marts.flows_by_{dimension}"
            " where has_country_total"
        ).fetchall():
            if (code, year) not in totals:
                continue
            report = queries.ask(
                "reporters/breakdown", breakdown=dimension, suffix="", code=code, period=str(year)
            ).records()
            sums = tuple(
                sum(row[f"{flow}_usd_m"] for row in report if row[f"{flow}_usd_m"] is not None)
                for flow in FLOWS
            )
            superset = superset_sql(
                f"flows_by_{dimension}",
                "reporter_code",
                f"reporter_code = '{code}' and period = '{year}'",
            )
            macro = (
                f"select '{code}', sum(receipts_usd_m), sum(payments_usd_m), sum(balance_usd_m)"
                f" from balance_of('{code}', '{dimension}') where period = '{year}'"
            )
            expected = totals[code, year]
            assert sums == expected
            assert live.execute(superset).fetchall() == [(code, *expected)]
            assert live.execute(macro).fetchall() == [(code, *expected)]
            compared += 1
    assert compared >= 19


def sql_of_readers() -> Iterator[tuple[str, str]]:
    """Yield the name and the SQL of each reader of marts that shows totals or breakdowns."""
    for folder in (PAGES, PAGES.parent / "charts" / "marts"):
        for path in folder.rglob("*.sql"):
            yield str(path.relative_to(PAGES.parent)), path.read_text("utf-8")
    for model in manifest()["semantic_models"].values():
        yield model["name"], f"marts.{model['node_relation']['alias']}"
    charts = [yaml.safe_load(path.read_text()) for path in (SUPERSET / "charts").glob("*.yaml")]
    names = {
        found["uuid"]: path.stem
        for path in (SUPERSET / "datasets").rglob("*.yaml")
        for found in [yaml.safe_load(path.read_text("utf-8"))]
    }
    for chart in charts:
        table = names[chart["dataset_uuid"]]
        yield chart["slice_name"], dataset(table).get("sql", f"marts.{table}")


def test_no_reader_shows_totals_or_breakdowns_of_an_expert_mart(
    live: duckdb.DuckDBPyConnection,
) -> None:
    readers = dict(sql_of_readers())
    assert len(readers) > 40
    readers |= dict(
        live.execute(
            "select function_name, macro_definition from duckdb_functions()"
            " where function_name in ('balance_of', 'top_partners')"
        ).fetchall()
    )
    readers = {name: re.sub(r"'[^']*'", "''", sql) for name, sql in readers.items()}
    experts = {
        name: set(re.findall(r"mart_(?:balance_by|world_ranking)\w*", sql))
        for name, sql in readers.items()
    }
    assert {name: found for name, found in experts.items() if found} == {
        # Definitions that the tables that add up do not have.
        "pages/reporters/breakdowns.sql": {"mart_balance_by_"},
        "pages/reporters/other_definition.sql": {"mart_balance_by_"},
        # The source that covers most countries, for a page on sources.
        "pages/coverage/countries.sql": {"mart_world_ranking"},
    }
    for name in ("breakdowns", "other_definition"):
        sql = (PAGES / "reporters" / f"{name}.sql").read_text("utf-8")
        of_expert_mart = sql[sql.index("from marts.mart_balance_by_") :]
        assert "concept <> 'BPM6_SH'" in of_expert_mart
    assert "flows_by_partner" in readers["top_partners"]
