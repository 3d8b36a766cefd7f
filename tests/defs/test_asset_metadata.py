"""The metadata of a model's asset in the UI, beside its rows and checks."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest

from dagster_project.base.settings import Settings
from dagster_project.definitions import definitions
from dagster_project.transform.dbt_runner import manifest
from tests.support import Scenario


def shown(name: str) -> Mapping[str, Any]:
    """The metadata of a model's definition."""
    graph = definitions(Settings()).resolve_asset_graph()
    return next(
        graph.get(key).metadata for key in graph.get_all_asset_keys() if key.path[-1] == name
    )


def test_a_model_names_its_pages_of_the_report() -> None:
    of_mart, of_staging = shown("mart_world_ranking"), shown("stg_worldbank_wdi__observations")
    assert isinstance(of_mart["data dictionary"], dg.PathMetadataValue)
    assert of_mart["data dictionary"].value.endswith(
        "/report/dictionary/marts.mart_world_ranking.html"
    )
    assert "data dictionary" not in of_staging  # it is not published
    assert of_staging["dbt docs"].value.endswith(
        "/report/dbt.html#!/model/model.royalty_flows.stg_worldbank_wdi__observations"
    )


def test_where_the_report_is_served_a_model_links_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROYALTY_REPORT_URL", "http://127.0.0.1:8010/")
    assert shown("mart_world_ranking")["data dictionary"] == dg.MetadataValue.url(
        "http://127.0.0.1:8010/dictionary/marts.mart_world_ranking.html"
    )


def test_a_materialization_has_the_lineage_of_its_columns(template: Scenario) -> None:
    lineage = template.outcome.metadata("marts/mart_world_ranking")["dagster/column_lineage"]
    assert lineage["reporter_name"] == ["core/dim_reporter.reporter_name"]
    assert set(lineage) == set(
        manifest()["nodes"]["model.royalty_flows.mart_world_ranking"]["columns"]
    )
    assert "dagster/column_lineage" not in template.outcome.metadata("seeds/economies")
