"""Column lineage: the columns that each column of a model is made from, read from its SQL.

sqlglot follows a column through the compiled SQL to the tables that the model selects from. That
takes half a minute for the project, so the result is kept in `column_lineage.json`, which
`make docs` writes anew; nothing of it is written by hand.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dagster_project.base.settings import Settings
from dagster_project.transform.dbt_runner import manifest, run_dbt

LINEAGE = Path(__file__).with_name("column_lineage.json")

# `<schema>.<table>` → column → the columns it is made from, each as `<schema>.<table>.<column>`.
Lineage = Mapping[str, Mapping[str, list[str]]]


@cache
def column_lineage() -> Lineage:
    """Return the columns that each column of each model is made from; one step back."""
    return json.loads(LINEAGE.read_text("utf-8"))


def first_columns(table: str, column: str) -> set[str]:
    """Return the columns of raw tables, seeds and ledger that a column is made from in the end."""
    parents = column_lineage().get(table, {}).get(column)
    if parents is None:
        return {f"{table}.{column}"}
    return {first for parent in parents for first in first_columns(*parent.rsplit(".", 1))}


def write_column_lineage() -> None:
    """Write the file."""
    text = json.dumps(read_column_lineage(), indent=1)
    LINEAGE.write_text(f"{text}\n", "utf-8")


def read_column_lineage() -> Lineage:
    """Compile the models and read the lineage of their columns from the SQL."""
    from dbt.contracts.graph.nodes import ModelNode

    with TemporaryDirectory() as folder:
        models = run_dbt(
            Settings(warehouse_dir=Path(folder)), ["compile", "--select", "resource_type:model"]
        )
    compiled = {
        str(model.node.unique_id): model.node.compiled_code or ""
        for model in models
        if isinstance(model.node, ModelNode)
    }
    nodes = {**manifest()["nodes"], **manifest()["sources"]}
    return {
        f"{node['schema']}.{node['name']}": dict(_columns(node, compiled[unique_id], nodes))
        for unique_id, node in sorted(nodes.items())
        if node["resource_type"] == "model" and node["tags"]  # else it is in no layer
    }


def _columns(
    node: Mapping[str, Any], sql: str, nodes: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each column of a model with those that it is made from."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.optimizer import build_scope, qualify

    schema: dict[str, Any] = {}
    for parent in (nodes[name] for name in node["depends_on"]["nodes"]):
        columns = dict.fromkeys(parent["columns"], "varchar")  # only the names matter
        database = schema.setdefault(parent["database"], {})
        database.setdefault(parent["schema"], {})[parent["name"]] = columns
    parsed = sqlglot.parse_one(sql, dialect="duckdb")
    query = qualify.qualify(parsed, dialect="duckdb", schema=schema)
    scope = build_scope(query)
    for column in node["columns"]:
        found = lineage(column, query, schema, dialect="duckdb", scope=scope)
        parents = {
            f"{leaf.source.db}.{leaf.source.name}.{exp.to_column(leaf.name).name}"
            for leaf in found.walk()
            if not leaf.downstream and isinstance(leaf.source, exp.Table)
        }
        yield column, sorted(parents)
