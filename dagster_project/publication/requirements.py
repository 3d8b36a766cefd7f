"""The gates and data tests that a candidate must pass before publication, from the dbt project."""

from collections.abc import Mapping
from dataclasses import dataclass

from dagster_project.transform.layers import LAYERS, layer_tables, layer_tests


@dataclass(frozen=True)
class Requirements:
    """The tables (`<schema>.<table>`) and data tests that must have passed, with their layers.

    In build order of the layers: a result is void once the same or an earlier layer is built again.
    Data tests are named by dbt's unique id.
    """

    tables: Mapping[str, str]
    tests: Mapping[str, str]


def required() -> Requirements:
    """Return the requirements: the gate of each seed and model, and each data test."""
    return Requirements(
        tables={table: layer.name for layer in LAYERS for table in layer_tables(layer)},
        tests={test: layer.name for layer in LAYERS for test in layer_tests(layer)},
    )
