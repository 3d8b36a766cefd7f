"""Unchanged nodes of the workbench: seeds, models and data tests that a build need not run.

A node of staging or intermediate has the same result as long as the project, the engine and the
accepted files in its raw tables are the same; the ledger has a digest of each node's inputs. So a
small release does not wait for the large ones. Core and marts, which are published, are built
completely for every candidate, and every gate runs on every table.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache

import duckdb

from dagster_project.transform.build_fingerprint import project_fingerprint
from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.layers import (
    Layer,
    build_order,
    layer_nodes,
    layer_tests,
    table_name,
)
from dagster_project.workbench.builds import nodes_built
from dagster_project.workbench.releases import accepted_files

_LEDGER = "audit.releases"
UNIT_TESTS = "resource_type:unit_test"  # they test the SQL, not the rows


def fingerprints(con: duckdb.DuckDBPyConnection, layer: Layer) -> dict[str, str]:
    """Return a digest of the current inputs of each seed, model and data test of a layer."""
    project = project_fingerprint()
    behind = {node: inputs_behind(node) for node in build_order(layer)}
    contents = {table: _content(con, table) for table in {t for ts in behind.values() for t in ts}}
    return {
        node: hashlib.sha256(
            repr((project, [(table, contents[table]) for table in tables])).encode()
        ).hexdigest()
        for node, tables in behind.items()
    }


def _content(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple]:
    """Return the accepted files with rows in a raw table; for the ledger, all of them.

    A load is identified by its time. Its rows are contiguous, so DuckDB reads very little.
    """
    accepted = accepted_files(con)
    if table == _LEDGER:
        return accepted
    loads = {time for (time,) in con.execute(f"select distinct _loaded_at from {table}").fetchall()}
    source = table.partition(".")[2].partition("__")[0]
    return [file for file in accepted if file[0] == source and file[4] in loads]


def kept_nodes(
    con: duckdb.DuckDBPyConnection, layer: Layer, made_from: Mapping[str, str]
) -> dict[str, str]:
    """Return the nodes of a layer that need not run, each with its last run.

    Excludes missing tables, and data tests of tables that are built again.
    made_from: the layer's fingerprints.
    """
    if layer.in_candidate:
        return {}
    there = {
        table
        for (table,) in con.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " union all select schema_name || '.' || view_name from duckdb_views()"
        ).fetchall()
    }
    ran = nodes_built(con)
    tables = layer_nodes(layer)
    kept = {
        unique_id: ran[unique_id][1]
        for unique_id, fingerprint in made_from.items()
        if ran.get(unique_id, ("",))[0] == fingerprint
        and (unique_id not in tables or table_name(tables[unique_id]) in there)
    }
    for test in tests_of(layer, tables.keys() - kept.keys()):
        kept.pop(test, None)
    return kept


def tests_of(layer: Layer, tables: Iterable[str]) -> list[str]:
    """Return the data tests of a layer that check one of these seeds or models, by unique id."""
    wanted = set(tables)
    return [
        unique_id
        for unique_id, test in layer_tests(layer).items()
        if not wanted.isdisjoint(test["depends_on"]["nodes"])
    ]


@cache
def inputs_behind(unique_id: str) -> tuple[str, ...]:
    """Return the raw tables that a node reads, directly or not, as `<schema>.<table>`. Includes the
    ledger's releases, if it uses more of them than the status of raw rows.
    """
    if unique_id.startswith("source."):
        return (table_name(manifest()["sources"][unique_id]),)
    parents = manifest()["nodes"][unique_id]["depends_on"].get("nodes", [])
    found = {table for parent in parents for table in inputs_behind(parent)}
    reads_raw = any(parent.startswith("source.royalty_flows.raw.") for parent in parents)
    return tuple(sorted(found - {_LEDGER} if reads_raw else found))


def select_nodes(unique_ids: Iterable[str]) -> list[str]:
    """Return the arguments with which dbt runs only these nodes."""
    names = [".".join(manifest()["nodes"][unique_id]["fqn"]) for unique_id in unique_ids]
    return ["--select", *names, "--indirect-selection", "empty", "--exclude", UNIT_TESTS]
