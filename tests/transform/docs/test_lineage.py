"""Column lineage agrees with the SQL."""

import json

import pytest

from dagster_project.transform.docs import lineage
from dagster_project.transform.docs.lineage import (
    column_lineage,
    first_columns,
    lineage_path,
    read_column_lineage,
)
from dagster_project.transform.layers import LAYERS, layer_nodes, table_name


def test_only_models_that_have_changed_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    column_lineage()
    kept = json.loads(lineage_path().read_text("utf-8"))["models"]
    changed = "marts.mart_world_ranking"
    read: list[str] = []

    def reading(node: lineage.Node, sql: str, schema: dict) -> list[tuple[str, list[str]]]:
        read.append(table_name(node))
        return list(kept[changed]["columns"].items())

    monkeypatch.setattr(lineage, "_columns", reading)
    assert read_column_lineage(kept | {changed: {"digest": "another", "columns": {}}}) == kept
    assert read == [changed]


def test_a_query_within_another_is_followed_to_its_tables() -> None:
    assert "int_flows_by_member" not in json.dumps(column_lineage())
    assert column_lineage()["marts.mart_balance_by_partner"]["receipts_usd_m"] == [
        "core.fct_royalty_flows.receipts_usd_m"
    ]


def test_every_model_has_one_for_each_column_and_it_leads_back_to_what_is_loaded() -> None:
    models = {
        table_name(node): node
        for layer in LAYERS
        for node in layer_nodes(layer).values()
        if node["resource_type"] == "model"
    }
    assert column_lineage().keys() == models.keys()
    for table, columns in column_lineage().items():
        assert list(columns) == list(models[table]["columns"])
        for column in columns:
            schemas = {text.partition(".")[0] for text in first_columns(table, column)}
            assert schemas <= {"raw", "seeds", "audit"}, f"{table}.{column}"


def test_a_join_an_expression_and_a_window_are_followed() -> None:
    ranking = column_lineage()["marts.mart_world_ranking"]
    assert ranking["reporter_name"] == ["core.dim_reporter.reporter_name"]
    # The balance as it is shown: stated, or receipts less payments; no rank if one is withheld, or
    # a country that had a figure the year before has none.
    assert ranking["rank_by_balance"] == ["core.dim_reporter.kind"] + [
        f"core.fct_royalty_flows.{column}"
        for column in (
            "balance",
            "balance_is_stated",
            "balance_status",
            "balance_usd_m",
            "concept",
            "payments",
            "payments_status",
            "payments_usd_m",
            "period",
            "receipts",
            "receipts_status",
            "receipts_usd_m",
            "source",
        )
    ]
    assert column_lineage()["core.fct_royalty_flows"]["receipts_usd_m"] == [
        "core.fct_royalty_observations.flow",
        "core.fct_royalty_observations.value_usd_m",
    ]


def test_a_mart_leads_back_to_the_columns_of_the_files() -> None:
    found = first_columns("marts.mart_world_ranking", "receipts_usd_m")
    assert {
        "raw.worldbank_wdi__observations.value",
        "raw.ecb_reference_rates__daily.value",
        "raw.published_figures__figures.value",
    } <= found
