"""What must have passed before a candidate is published, as the dbt project has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from dagster_project.transform.layers import LAYERS, layer_tables, layer_tests


@dataclass(frozen=True)
class Requirements:
    """What must have passed for a candidate: `<schema>.<table>`, or a data test, with its layer.

    In the order in which the layers are built: what passed is void once an earlier one, or its own,
    is built again. Data tests are named by dbt's unique id.
    """

    tables: Mapping[str, str]
    tests: Mapping[str, str]


def required() -> Requirements:
    """Return what must have passed: each seed and model its gate, and each data test."""
    return Requirements(
        tables={table: layer.name for layer in LAYERS for table in layer_tables(layer)},
        tests={test: layer.name for layer in LAYERS for test in layer_tests(layer)},
    )
