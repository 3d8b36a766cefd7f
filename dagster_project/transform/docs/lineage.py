"""Column lineage: the columns that each column of a model is made from, parsed from its SQL.

sqlglot traces a column through the compiled SQL to the tables that the model selects from. The
result is cached next to dbt's manifest: only models whose SQL or columns have changed are parsed
again.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dagster_project.base.settings import Settings
from dagster_project.transform.dbt_runner import dbt_cache, manifest, project_state, run_dbt

# `<schema>.<table>` → column → the columns it is made from, each as `<schema>.<table>.<column>`.
Lineage = Mapping[str, Mapping[str, list[str]]]

Node = Mapping[str, Any]


def lineage_path() -> Path:
    """Return the path of the cached result, which may not exist yet."""
    return dbt_cache() / "column_lineage.json"


@cache
def column_lineage() -> Lineage:
    """Return the columns that each column of each model is directly made from."""
    path = lineage_path()
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {"models": {}}
    state = project_state()
    if kept.get("state") != state:
        kept = {"state": state, "models": read_column_lineage(kept["models"])}
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(kept), "utf-8")
        unfinished.replace(path)
    return {table: model["columns"] for table, model in kept["models"].items()}


def first_columns(table: str, column: str) -> set[str]:
    """Return the columns of raw tables, seeds and ledger at the origin of a column."""
    parents = column_lineage().get(table, {}).get(column)
    if parents is None:
        return {f"{table}.{column}"}
    return {first for parent in parents for first in first_columns(*parent.rsplit(".", 1))}


def read_column_lineage(known: Mapping[str, Any]) -> dict[str, Any]:
    """Compile the models and read the lineage of their columns from the SQL.

    known: the cached lineage, with a digest of each model; the return value has the same form.
    """
    from dbt.contracts.graph.nodes import ModelNode

    with TemporaryDirectory() as folder:
        # Compiling reads no data: an empty warehouse and the default settings do.
        settings = Settings.model_construct(warehouse_dir=Path(folder))
        models = run_dbt(settings, ["compile", "--select", "resource_type:model"])
    compiled = {
        str(model.node.unique_id): model.node.compiled_code or ""
        for model in models
        if isinstance(model.node, ModelNode)
    }
    nodes = {**manifest()["nodes"], **manifest()["sources"]}
    read: dict[str, Any] = {}
    for unique_id, node in sorted(nodes.items()):
        if node["resource_type"] != "model" or not node["tags"] or _is_ephemeral(node):
            continue  # not a table of a layer
        table, sql = f"{node['schema']}.{node['name']}", compiled[unique_id]
        parents: dict[str, Any] = {}
        for parent in _tables_behind(node, nodes):
            columns = dict.fromkeys(parent["columns"], "varchar")  # only the names matter
            schemas = parents.setdefault(parent["database"], {})
            schemas.setdefault(parent["schema"], {})[parent["name"]] = columns
        inputs = repr((sql, list(node["columns"]), parents))
        digest = hashlib.sha256(inputs.encode()).hexdigest()
        read[table] = known.get(table)
        if read[table] is None or read[table]["digest"] != digest:
            found = dict(_columns(node, sql, parents))
            read[table] = {"digest": digest, "columns": found}
    return read


def _is_ephemeral(node: Node) -> bool:
    return bool(node["config"].get("materialized") == "ephemeral")


def _tables_behind(node: Node, nodes: Mapping[str, Node]) -> Iterator[Node]:
    """Yield the tables that a model selects from, including those of inlined models."""
    for parent in (nodes[name] for name in node["depends_on"]["nodes"]):
        if _is_ephemeral(parent):
            yield from _tables_behind(parent, nodes)
        else:
            yield parent


def _columns(node: Node, sql: str, schema: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield each column of a model with the columns that it is made from.

    schema: the tables that the model selects from: database → schema → table → columns.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.optimizer import build_scope, qualify

    parsed = sqlglot.parse_one(sql, dialect="duckdb")
    query = qualify.qualify(parsed, dialect="duckdb", schema=schema)
    scope = build_scope(query)
    for column in node["columns"]:
        found = lineage(
            column,
            query,
            schema,
            dialect="duckdb",
            scope=scope,
            trim_selects=False,  # would copy each query once per column, and only labels nodes
            copy=False,
        )
        parents = {
            f"{leaf.source.db}.{leaf.source.name}.{exp.to_column(leaf.name).name}"
            for leaf in found.walk()
            if not leaf.downstream and isinstance(leaf.source, exp.Table)
        }
        yield column, sorted(parents)
