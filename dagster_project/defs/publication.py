"""The publication as a Dagster asset."""

from datetime import timedelta

import dagster as dg

from dagster_project.base.settings import Settings
from dagster_project.defs.resources import WRITING_POOL, Workbench, report_bad_input
from dagster_project.publication.exports import exports_of
from dagster_project.publication.publish import (
    Required,
    publish,
    reconcile,
    what_was_published,
)
from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.layers import LAYERS, layer_tables, layer_tests


def required() -> Required:
    """Return what must have passed: each seed and model its gate, and each data test."""
    return Required(
        tables={table: layer.name for layer in LAYERS for table in layer_tables(layer)},
        tests={test: layer.name for layer in LAYERS for test in layer_tests(layer)},
    )


def ledger_comments() -> dict[str, tuple[str, dict[str, str]]]:
    """Return description and column descriptions of the ledger's tables, from the dbt project."""
    return {
        source["name"]: (
            source["description"],
            {name: column["description"] for name, column in source["columns"].items()},
        )
        for source in manifest()["sources"].values()
        if source["schema"] == "audit"
    }


def table_keys() -> dict[str, list[str]]:
    """Return the key columns of each published table, by the data test that they are unique."""
    keys: dict[str, list[str]] = {}
    nodes = manifest()["nodes"]
    for test in nodes.values():
        kind = (test.get("test_metadata") or {}).get("name")
        if kind in ("unique", "unique_combination_of_columns"):
            table = nodes[test["attached_node"]]
            columns = test["test_metadata"]["kwargs"].get("columns") or [test["column_name"]]
            keys.setdefault(f"{table['schema']}.{table['name']}", columns)
    return keys


@dg.asset(
    key="publication",
    group_name="publication",
    deps=[
        dg.AssetKey(table.split("."))
        for layer in LAYERS
        if layer.in_candidate
        for table in layer_tables(layer)
    ],
    kinds={"duckdb"},
    # The Bank of Japan releases every month; a month without a publication is one in which nothing
    # came, or nothing got through.
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=60), warn_window=timedelta(days=40)
    ),
    pool=WRITING_POOL,
    description="The published file, `royalty_flows.duckdb`: replaced whole, and only if the ledger"
    " says that every table of this candidate was built and passed its gate, and every data test.",
)
def publication(context: dg.AssetExecutionContext, workbench: Workbench) -> dg.MaterializeResult:
    """Publish the candidate, or refuse with the ledger's reasons.

    If its publication was broken off, that is finished instead.
    """
    settings = Settings()
    needed = required()
    with report_bad_input():
        finished = reconcile(settings)
        published = (
            what_was_published(finished, len(needed.tables))
            if finished
            else publish(settings, context.run.run_id, needed, ledger_comments(), table_keys())
        )
    return dg.MaterializeResult(
        metadata={
            "publication": published.publication_id,
            "file": dg.MetadataValue.path(settings.warehouse),
            "downloads": dg.MetadataValue.path(exports_of(settings, published.publication_id))
            if settings.downloads
            else "none: ROYALTY_DOWNLOADS is off",
            "bytes": published.bytes,
            "tables": published.tables,
            "rows": published.rows,
            "gates passed": published.gates,
        }
    )
