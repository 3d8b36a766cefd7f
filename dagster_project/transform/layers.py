"""The layers of the models, and their nodes in dbt's manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from dagster_project.base.settings import Settings
from dagster_project.transform.dbt_runner import manifest


@dataclass(frozen=True)
class Layer:
    """A layer of the models. `in_candidate`: its tables are in the candidate's file."""

    name: str
    in_candidate: bool

    @property
    def select(self) -> str:
        """The dbt selection; seeds are built with the first layer."""
        return f"tag:{self.name}"

    def database(self, settings: Settings) -> Path:
        """Return the file with the layer's tables."""
        return settings.candidate if self.in_candidate else settings.workbench


LAYERS = (
    Layer("staging", in_candidate=False),
    Layer("intermediate", in_candidate=False),
    Layer("core", in_candidate=True),
    Layer("marts", in_candidate=True),
)


def layer_nodes(layer: Layer) -> dict[str, Mapping[str, Any]]:
    """Return the seeds and models of a layer that are tables or views, by dbt's unique id."""
    return {
        unique_id: node
        for unique_id, node in manifest()["nodes"].items()
        if node["resource_type"] in ("model", "seed")
        and layer.name in node["tags"]
        and node["config"]["materialized"] != "ephemeral"
    }


@cache
def layer_tests(layer: Layer) -> dict[str, Mapping[str, Any]]:
    """Return the data tests of a layer by unique id: those that do not need a later layer."""
    of_layer = layer_nodes(layer)
    later = {node for other in LAYERS[LAYERS.index(layer) + 1 :] for node in layer_nodes(other)}
    return {
        unique_id: node
        for unique_id, node in manifest()["nodes"].items()
        if node["resource_type"] == "test"
        and not of_layer.keys().isdisjoint(node["depends_on"]["nodes"])
        and later.isdisjoint(node["depends_on"]["nodes"])
    }


@cache
def build_order(layer: Layer) -> tuple[str, ...]:
    """Return the seeds, models and data tests of a layer, each after its dependencies."""
    nodes = layer_nodes(layer) | layer_tests(layer)
    # Uses the whole graph: some depend on each other through ephemeral models.
    graph = {
        unique_id: node["depends_on"].get("nodes", [])
        for unique_id, node in manifest()["nodes"].items()
    }
    order = TopologicalSorter(graph).static_order()
    return tuple(unique_id for unique_id in order if unique_id in nodes)


def table_name(node: Mapping[str, Any]) -> str:
    """Return `<schema>.<table>` of a seed or model."""
    return f"{node['schema']}.{node['name']}"


def layer_tables(layer: Layer) -> list[str]:
    """Return `<schema>.<table>` of all seeds and models of a layer."""
    return sorted(table_name(node) for node in layer_nodes(layer).values())


def candidate_tables() -> list[str]:
    """Return `<schema>.<table>` of all tables of the candidate's file, except its ledger."""
    return [table for layer in LAYERS if layer.in_candidate for table in layer_tables(layer)]
