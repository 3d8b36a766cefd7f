"""The publication as a Dagster asset."""

from datetime import timedelta

import dagster as dg

from dagster_project.defs.resources import WRITING_POOL, Workbench, report_bad_input
from dagster_project.publication.exports import exports_of
from dagster_project.publication.kept_files import read_publication
from dagster_project.publication.publish import publish, reconcile
from dagster_project.transform.layers import LAYERS, layer_tables


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
    # The Bank of Japan releases every month; in a month without a publication, nothing arrived or
    # nothing passed its gates.
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=60), warn_window=timedelta(days=40)
    ),
    pool=WRITING_POOL,
    description="The published file, `royalty_flows.duckdb`. Replaced whole, and only if the ledger"
    " has every table of this candidate as built, with its gate and all data tests passed.",
)
def publication(context: dg.AssetExecutionContext, workbench: Workbench) -> dg.MaterializeResult:
    """Publish the candidate, or refuse it with the ledger's reasons.

    An interrupted publication is completed instead.
    """
    settings = workbench.settings
    with report_bad_input(), workbench.crash_recorded("publication"):
        finished = reconcile(settings)
        published = (
            read_publication(finished) if finished else publish(settings, context.run.run_id)
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
