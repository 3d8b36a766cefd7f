"""The semantic layer: the metrics of `dbt/models/semantic/`, answered by MetricFlow.

MetricFlow writes the SQL, which runs on a separate read-only connection. The program `mf` is not
used: it opens dbt's database, the workbench, and contacts a server for new versions.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from dagster_project.base.errors import BadInput
from dagster_project.transform.dbt_runner import manifest_path

if TYPE_CHECKING:
    from metricflow.engine.metricflow_engine import MetricFlowEngine


class _Dialect:
    """The part of a database client that MetricFlow needs to write SQL."""

    def __init__(self) -> None:
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer

        self.sql_engine_type = SqlEngine.DUCKDB
        self.sql_plan_renderer = DuckDbSqlPlanRenderer()


@cache
def engine() -> "MetricFlowEngine":
    """Return MetricFlow for the dbt project's metrics; parses the project if it has changed."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow_semantics.model.dbt_manifest_parser import (
        parse_manifest_from_dbt_generated_manifest,
    )
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    semantics = manifest_path().with_name("semantic_manifest.json").read_text("utf-8")
    lookup = SemanticManifestLookup(parse_manifest_from_dbt_generated_manifest(semantics))
    return MetricFlowEngine(lookup, _Dialect())  # type: ignore[arg-type]


def metric_sql(
    metrics: Sequence[str],
    by: Sequence[str] = (),
    where: Sequence[str] = (),
    order: Sequence[str] = (),
    limit: int | None = None,
) -> str:
    """Return the SQL of a query in MetricFlow's terms; docs/metrics.md has examples.

    Ordered by the groups, unless another order is given.

    Raises BadInput if MetricFlow cannot answer the query.
    """
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
    from metricflow_semantics.errors.error_classes import InvalidQueryException

    request = MetricFlowQueryRequest.create(
        metric_names=metrics,
        group_by_names=by or None,
        where_constraints=where or None,
        order_by_names=order or by or None,
        limit=limit,
    )
    try:
        return engine().explain(request).sql_statement.sql
    except InvalidQueryException as error:
        raise BadInput(
            "a query that the metrics cannot answer",
            where=f"{', '.join(metrics)} by {', '.join(by) or 'nothing'}",
            expected="metrics with their dimensions and filters, as in docs/metrics.md",
            found=" ".join(str(error).split()),
            fix="use metrics and dimensions that docs/metrics.md lists",
        ) from error
