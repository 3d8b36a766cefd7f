"""Metadata of the models in the UI: of assets, of build results, of unchanged nodes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from dagster_project.base.errors import printable
from dagster_project.base.settings import Settings
from dagster_project.publication.publish import ledger_comments
from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.docs.dbt_docs import dbt_docs_address
from dagster_project.transform.docs.lineage import column_lineage
from dagster_project.transform.layers import table_name


class Translator(DagsterDbtTranslator):
    """Names assets `<schema>/<table>`, as raw assets and suites are named."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return dbt_resource_props["description"]  # the default adds the SQL, even in lists

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        shown: dict[str, dg.MetadataValue] = {
            "file": dg.MetadataValue.path(f"dbt/{dbt_resource_props['original_file_path']}")
        }
        if dbt_resource_props["resource_type"] == "model":
            code = f"```sql\n{dbt_resource_props['raw_code']}\n```"
            shown["sql"] = dg.MetadataValue.md(code)
        return {**super().get_metadata(dbt_resource_props), **shown}

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return dbt_resource_props["schema"]


def with_report_pages(settings: Settings, asset: dg.AssetSpec) -> dg.AssetSpec:
    """Return a model's spec with links to its pages of the report."""
    schema, table = asset.key.path
    if schema == "seeds":
        return asset
    pages = {"dbt docs": dbt_docs_address(f"{schema}.{table}")}
    if schema in ("core", "marts"):
        pages["data dictionary"] = f"dictionary/{schema}.{table}.html"
    return asset.merge_attributes(
        metadata={name: _in_report(settings, address) for name, address in pages.items()}
    )


def _in_report(settings: Settings, address: str) -> dg.MetadataValue:
    """Return a page of the report: a link if the report is served, else a file path: browsers do
    not follow a link from the UI to a file.
    """
    if settings.report_url:
        return dg.MetadataValue.url(f"{settings.report_url.rstrip('/')}/{address}")
    return dg.MetadataValue.path(f"{settings.report}/{address}")


TRANSLATOR = Translator(DagsterDbtTranslatorSettings(enable_asset_checks=True))


def ledger_releases() -> dg.AssetSpec:
    """Return the ledger's table of releases, which the models read to select current ones."""
    description, _ = ledger_comments()["releases"]
    return dg.AssetSpec(
        ["audit", "releases"], group_name="audit", kinds={"duckdb"}, description=description
    )


def with_column_descriptions(raw: dg.AssetSpec) -> dg.AssetSpec:
    """Return a raw table's spec with the column descriptions of the dbt source of the same name."""
    about = manifest()["sources"].get(f"source.royalty_flows.raw.{raw.key.path[-1]}")
    if not about:
        return raw
    schema = raw.metadata["dagster/column_schema"]
    columns = [
        dg.TableColumn(
            column.name, column.type, about["columns"].get(column.name, {}).get("description")
        )
        for column in schema.columns
    ]
    return raw.replace_attributes(
        description=f"{about['description'].strip()} {raw.description}",
        metadata={**raw.metadata, "dagster/column_schema": dg.TableSchema(columns)},
    )


def is_built(result: Any) -> bool:
    """Whether a dbt result is a seed or model that was built."""
    return result.node.resource_type in ("model", "seed") and result.status == "success"


def result_events(
    context: dg.AssetExecutionContext,
    result: Any,
    counts: Mapping[str, int],
    charts: Mapping[str, Mapping[str, Any]],
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Yield the events of a dbt result: a materialization, or a data test's asset check."""
    node = manifest()["nodes"][result.node.unique_id]
    if is_built(result):
        yield dg.MaterializeResult(
            asset_key=TRANSLATOR.get_asset_key(node),
            metadata={
                "dagster/row_count": counts[result.node.unique_id],
                "seconds": result.execution_time,
                **_column_lineage(table_name(node)),
                **charts.get(result.node.name, {}),
            },
        )
    elif node["resource_type"] == "test" and result.status != "skipped":
        yield from _check_result(
            context,
            result.node.unique_id,
            passed=result.status == "pass",
            warns=result.status == "warn",
            metadata={
                "failing rows": result.failures or 0,
                "message": result.message or "passed",
            },
        )


def kept_events(
    context: dg.AssetExecutionContext, unique_id: str, run_id: str, counts: Mapping[str, int]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Yield the events of an unchanged node: rows and checks as an earlier run left them."""
    node = manifest()["nodes"][unique_id]
    kept: dict[str, str | dg.MetadataValue] = {
        "kept": "inputs unchanged",
        "last run in": dg.MetadataValue.dagster_run(run_id),
    }
    if node["resource_type"] == "test":
        yield from _check_result(context, unique_id, metadata={"message": "passed", **kept})
    else:
        yield dg.MaterializeResult(
            asset_key=TRANSLATOR.get_asset_key(node),
            metadata={
                "dagster/row_count": counts[unique_id],
                **kept,
                **_column_lineage(table_name(node)),
            },
        )


def _check_result(
    context: dg.AssetExecutionContext,
    unique_id: str,
    *,
    metadata: Mapping[str, Any],
    passed: bool = True,
    warns: bool = False,
) -> Iterator[dg.AssetCheckResult]:
    key = get_asset_check_key_for_test(manifest(), TRANSLATOR, unique_id, None)
    if key and key in context.selected_asset_check_keys:
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=passed,
            severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
            metadata=metadata,
        )


def _column_lineage(table: str) -> dict[str, dg.TableColumnLineage]:
    """Return a model's column lineage for the UI, without seeds and the ledger."""
    columns = column_lineage().get(table)
    if columns is None:
        return {}
    parents = {
        column: [
            dg.TableColumnDep(dg.AssetKey([schema, name]), parent)
            for schema, name, parent in (text.split(".") for text in texts)
            if schema != "audit"
        ]
        for column, texts in columns.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(parents)}


def chart_metadata(
    context: dg.AssetExecutionContext, database: Path, results: list[Any]
) -> dict[str, dict[str, Any]]:
    """Return the chart, as metadata, of each mart that was built and has one."""
    from dagster_project.report.charts.drawing import draw_charts

    built = [result.node.name for result in results if result.status == "success"]
    charts: dict[str, dict[str, Any]] = {}
    for mart, (shown, is_drawn) in draw_charts(database, built).items():
        if not is_drawn:
            context.log.warning(f"the chart of {mart} {shown}")
        charts[mart] = {"chart": dg.MetadataValue.md(shown) if is_drawn else printable(shown)}
    return charts
