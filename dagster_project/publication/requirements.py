"""The gates and data tests that a candidate must pass before publication, from the dbt project."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.layers import LAYERS, layer_tables, layer_tests

# A data test whose configuration differs from this lets failing rows pass.
_STRICT = {
    "enabled": True,
    "severity": "ERROR",
    "where": None,
    "limit": None,
    "fail_calc": "count(*)",
    "warn_if": "!= 0",
    "error_if": "!= 0",
}


NO_LAYER = "no layer"


@dataclass(frozen=True)
class Requirements:
    """The tables (`<schema>.<table>`) and data tests that must have passed, with their layers.

    In build order of the layers: a result is void once the same or an earlier layer is built again.
    Data tests are named by dbt's unique id. One that belongs to no layer is required as well: no
    layer runs it.
    """

    tables: Mapping[str, str]
    tests: Mapping[str, str]


def required() -> Requirements:
    """Return the requirements: the gate of each seed and model, and each data test."""
    return Requirements(
        tables={table: layer.name for layer in LAYERS for table in layer_tables(layer)},
        tests={
            **{
                test: NO_LAYER
                for test, node in manifest()["nodes"].items()
                if node["resource_type"] == "test"
            },
            **{test: layer.name for layer in LAYERS for test in layer_tests(layer)},
        },
    )


def weakened_tests() -> list[str]:
    """Return the data tests, models and seeds that are switched off, and data tests that let
    failing rows pass, unless their configuration gives a reason (`meta: {reason: …}`).
    """
    disabled = [node for nodes in manifest()["disabled"].values() for node in nodes]
    found = {node["unique_id"]: "enabled: False" for node in disabled if not _reason(node)}
    for name, node in manifest()["nodes"].items():
        if node["resource_type"] == "test" and not _reason(node):
            config = {**node["config"], "severity": node["config"]["severity"].upper()}
            changed = [f"{key}: {config[key]}" for key in _STRICT if config[key] != _STRICT[key]]
            if changed:
                found[name] = ", ".join(changed)
    return [f"{name.split('.')[2]} ({what})" for name, what in found.items()]


def _reason(node: Mapping[str, Any]) -> str:
    return str(node["config"].get("meta", {}).get("reason", "")).strip()
