"""The charts of the marts: each holds numbers of its mart, and each is in its materialization."""

import base64
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from dagster_project.defs.asset_metadata import chart_metadata
from dagster_project.report.charts import marts
from dagster_project.report.charts.marts import CHARTS
from tests.report.charts.test_picture import values
from tests.support import Scenario

DIMENSIONS = ("partner", "sector", "category", "affiliation")  # no year has subdivisions
LIMIT = 100_000  # bytes of a picture in the metadata


def drawn(scenario: Scenario, mart: str) -> Any:
    with duckdb.connect(scenario.warehouse.settings.warehouse, read_only=True) as con:
        chart = CHARTS[mart](con)
    assert chart is not None
    return chart


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_number_of_a_balance_chart_is_in_the_mart(template: Scenario, dimension: str) -> None:
    chart = drawn(template, f"flows_by_{dimension}")
    reporter = chart.to_dict()["title"]["text"].partition(":")[0]
    stated = {
        (name, flow, float(number))
        for name, *numbers in template.warehouse.published(
            f"select {dimension}_name, receipts_usd_m, payments_usd_m, balance_usd_m"
            f" from marts.flows_by_{dimension}"
            f" where reporter_name = '{reporter}'"
        )
        for flow, number in zip(("receipts", "payments", "balance"), numbers, strict=True)
        if number is not None
    }
    shown = {
        (row["member"].replace("\n", " "), row["flow"], row["usd_m"])
        for row in values(chart)
        if row["usd_m"] is not None
    }
    assert shown
    assert shown <= stated
    if dimension != "sector":  # whose source states no total
        assert any(member.startswith("Not allocated") for member, _, _ in shown)


def test_the_ranking_shows_the_largest_receivers_of_the_latest_full_year(
    template: Scenario,
) -> None:
    chart = drawn(template, "flows_by_country")
    period = chart.to_dict()["title"]["text"].rsplit(" ", 1)[1]
    ranked = template.warehouse.published(
        "select reporter_name, receipts_usd_m::double, payments_usd_m::double"
        f" from marts.flows_by_country where period = '{period}'"
        " and receipts_usd_m is not null order by receipts_usd_m desc limit 15"
    )
    shown = {(row["member"], row["flow"]): row["usd_m"] for row in values(chart)}
    assert len(ranked) > 1
    assert list(dict.fromkeys(member for member, _ in shown)) == [name for name, *_ in ranked]
    for name, receipts, payments in ranked:
        assert (shown[name, "receipts"], shown[name, "payments"]) == (receipts, payments)


def test_the_mirror_chart_has_the_figures_of_both_sides(template: Scenario) -> None:
    stated = template.warehouse.published(
        "select period, receipts_stated_usd_m::double, payments_stated_usd_m::double"
        " from marts.mart_mirror_asymmetry"
    )
    chart = drawn(template, "mart_mirror_asymmetry")
    only_period = chart.to_dict()["title"]["text"].rpartition(", ")[2]
    shown: dict[tuple[str, str], dict[str, float | None]] = {}
    for row in values(chart):
        key = (row["member"], row.get("period", only_period))
        shown.setdefault(key, {})[row["flow"]] = row["usd_m"]
    shown = {key: flows for key, flows in shown.items() if key[1] != "not stated"}
    assert any(None not in flows.values() for flows in shown.values())
    for (_, period), flows in shown.items():
        assert (period, flows["receipts"], flows["payments"]) in stated


def test_the_revisions_chart_counts_every_revision_once(template: Scenario) -> None:
    chart = drawn(template, "mart_revisions").to_dict()
    bars = chart["data"]["values"]
    counted = template.warehouse.published(
        "select count(value), count(*) filter (revision_kind = 'unchanged'),"
        " count(*) filter (revision_kind = 'changed' and abs(change_pct) > 20)"
        " from marts.mart_revisions where revision_kind <> 'composition'"
    )
    figures = dict.fromkeys(marts.SIZES, 0)
    for bar in bars:
        figures[bar["size"]] += bar["figures"]
    assert (sum(figures.values()), figures["not changed"], figures["more than 20 %"]) == counted[0]


def test_each_chart_is_in_its_marts_materialization(template: Scenario) -> None:
    for mart in CHARTS.keys() - {"flows_by_subdivision"}:  # which no year has
        shown = template.outcome.metadata(f"marts/{mart}")["chart"]
        start, _, picture = shown.partition("](data:image/png;base64,")
        assert start.startswith("![")
        assert base64.b64decode(picture.removesuffix(")")).startswith(b"\x89PNG")
        assert len(picture) < LIMIT


def test_an_empty_mart_has_nothing_to_draw(template: Scenario) -> None:
    with duckdb.connect() as con:
        con.execute(f"attach '{template.warehouse.settings.warehouse}' as published (read_only)")
        con.execute("create schema core; create schema marts")
        for table in ("dim_reporter", "dim_concept", "dim_source"):
            con.execute(f"create table core.{table} as from published.core.{table}")
        for mart, chart in CHARTS.items():
            con.execute(f"create table marts.{mart} as from published.marts.{mart} limit 0")
            assert chart(con) is None


def test_a_chart_that_cannot_be_drawn_says_so_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / "without_marts.duckdb"
    duckdb.connect(database).close()
    built = [
        SimpleNamespace(node=SimpleNamespace(name="mart_revisions"), status="success"),
        SimpleNamespace(node=SimpleNamespace(name="mart_world_ranking"), status="error"),
    ]
    context: Any = SimpleNamespace(log=logging.getLogger("charts"))
    charts = chart_metadata(context, database, built)
    assert charts.keys() == {"mart_revisions"}
    assert charts["mart_revisions"]["chart"].startswith("could not be drawn: CatalogException")
    assert "the chart of mart_revisions could not be drawn" in caplog.text
