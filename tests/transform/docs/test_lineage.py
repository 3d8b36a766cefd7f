"""Column lineage: what is kept is what the SQL says."""

from dagster_project.transform.docs.lineage import (
    column_lineage,
    first_columns,
    read_column_lineage,
)
from dagster_project.transform.layers import LAYERS, layer_nodes, table_name


def test_what_is_kept_is_what_the_models_say_now() -> None:
    assert column_lineage() == read_column_lineage(), "`make docs` writes it anew"


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
    # The balance as it is shown: stated, or receipts less payments.
    assert ranking["rank_by_balance"] == [
        f"core.fct_royalty_flows.{column}"
        for column in (
            "balance_is_stated",
            "balance_usd_m",
            "concept",
            "payments_usd_m",
            "period",
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
