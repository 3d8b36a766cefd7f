"""dbt layers as Dagster assets: staging → intermediate → core → marts, each one step.

The staging layer begins a candidate: a new entry in the ledger, under which the gates that follow
are entered. The core layer begins the candidate's file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test, get_subset_selection_for_context

from dagster_project import ledger
from dagster_project.ingest.load import create_raw_tables
from dagster_project.models.dbt import DbtError, manifest, run_dbt
from dagster_project.models.dbt_docs import dbt_docs_address
from dagster_project.models.lineage import column_lineage
from dagster_project.models.state import build_fingerprint
from dagster_project.resources import WRITING_POOL, Workbench
from dagster_project.settings import Settings
from dagster_project.sources import all_sources
from dagster_project.workbench import transaction


@dataclass(frozen=True)
class Layer:
    """A layer of the models. `in_candidate`: its tables are in the candidate's file."""

    name: str
    in_candidate: bool

    @property
    def select(self) -> str:
        """The dbt selection; the seeds are built with the first layer."""
        return f"tag:{self.name}"

    def database(self, settings: Settings) -> Path:
        """The file that the layer's tables are in."""
        return settings.candidate if self.in_candidate else settings.workbench


LAYERS = (
    Layer("staging", in_candidate=False),
    Layer("intermediate", in_candidate=False),
    Layer("core", in_candidate=True),
    Layer("marts", in_candidate=True),
)


class Translator(DagsterDbtTranslator):
    """Names assets `<schema>/<table>`, as raw assets and suites are named."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return dbt_resource_props["description"]  # the default has the SQL in it, in lists too

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        shown: dict[str, dg.MetadataValue] = {
            "file": dg.MetadataValue.path(f"dbt/{dbt_resource_props['original_file_path']}")
        }
        if dbt_resource_props["resource_type"] == "model":
            code = f"```sql\n{dbt_resource_props['raw_code']}\n```"
            shown["sql"] = dg.MetadataValue.md(code)
            table = table_name(dbt_resource_props)
            shown["dbt docs"] = _in_report(dbt_docs_address(table))
            if dbt_resource_props["schema"] in ("core", "marts"):
                shown["data dictionary"] = _in_report(f"dictionary/{table}.html")
        return {**super().get_metadata(dbt_resource_props), **shown}

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return dbt_resource_props["schema"]


def _in_report(address: str) -> dg.MetadataValue:
    """Return a page of the report: a link if it is served.

    Else its file, since browsers do not follow a link from the UI to a file.
    """
    settings = Settings()
    if settings.report_url:
        return dg.MetadataValue.url(f"{settings.report_url.rstrip('/')}/{address}")
    return dg.MetadataValue.path(f"{settings.report}/{address}")


TRANSLATOR = Translator(DagsterDbtTranslatorSettings(enable_asset_checks=True))


def described(raw: dg.AssetSpec) -> dg.AssetSpec:
    """Return a raw table's spec with what the dbt source of the same name says of its columns."""
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


def layer_nodes(layer: Layer) -> dict[str, Mapping[str, Any]]:
    """Return the seeds and models of a layer by dbt's unique id."""
    return {
        unique_id: node
        for unique_id, node in manifest()["nodes"].items()
        if node["resource_type"] in ("model", "seed") and layer.name in node["tags"]
    }


def table_name(node: Mapping[str, Any]) -> str:
    """Return `<schema>.<table>` of a seed or model."""
    return f"{node['schema']}.{node['name']}"


def layer_tables(layer: Layer) -> list[str]:
    """Return `<schema>.<table>` of all seeds and models of a layer."""
    return sorted(table_name(node) for node in layer_nodes(layer).values())


def layer_assets(layer: Layer) -> dg.AssetsDefinition:
    """Return the assets of a layer: one dbt invocation, its data tests as asset checks."""

    @dbt_assets(
        manifest=manifest(),
        select=layer.select,
        exclude="resource_type:unit_test",
        name=f"build_{layer.name}",
        dagster_dbt_translator=TRANSLATOR,
        pool=WRITING_POOL,
    )
    def build(context: dg.AssetExecutionContext, workbench: Workbench) -> Iterator[Any]:
        settings = Settings()
        selected = {".".join(key.path): key for key in context.selected_asset_keys}
        candidate_id = _begin(context, workbench, layer, sorted(selected))
        selection, _ = get_subset_selection_for_context(
            context=context,
            manifest=manifest(),
            select=layer.select,
            exclude="resource_type:unit_test",
            selector=None,
            dagster_dbt_translator=TRANSLATOR,
            current_dbt_indirect_selection_env=None,
        )
        try:
            results = run_dbt(settings, ["build", "--indirect-selection", "buildable", *selection])
        except DbtError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        counts = _row_counts(layer.database(settings), results)
        charts = _charts(context, settings.candidate, results) if layer.name == "marts" else {}
        failures = []
        for result in results:
            if result.node.resource_type in ("model", "seed"):
                if result.status == "success":
                    yield dg.MaterializeResult(
                        asset_key=selected[f"{result.node.schema}.{result.node.name}"],
                        metadata={
                            "dagster/row_count": counts[result.node.unique_id],
                            "seconds": result.execution_time,
                            **_column_lineage(f"{result.node.schema}.{result.node.name}"),
                            **charts.get(result.node.name, {}),
                        },
                    )
            else:
                yield from _check_results(context, result)
            if result.status in ("error", "fail", "runtime error"):
                failures.append(
                    f"{result.node.name} | found: {result.message} | where: "
                    f"dbt/{result.node.original_file_path}"
                )
        if failures:
            raise dg.Failure(
                f"{layer.name}: {len(failures)} dbt nodes failed; nothing is built on them\n"
                + "\n".join(failures),
                allow_retries=False,
            )
        if sorted(selected) == layer_tables(layer):
            with workbench.get_connection() as con:
                ledger.finish_layer(con, candidate_id, layer.name, context.run.run_id)

    return build


def _column_lineage(table: str) -> dict[str, dg.TableColumnLineage]:
    """Return what the UI's column lineage shows of a model; the ledger is no asset. No seeds."""
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


def _has_stamp(candidate: Path) -> bool:
    """Whether the core layer has begun this file: dbt creates an empty one by attaching it."""
    if not candidate.exists():
        return False
    with duckdb.connect(candidate, read_only=True) as con:
        found = con.execute(
            "select 1 from duckdb_tables() where schema_name = 'audit' and table_name = 'candidate'"
        )
        return found.fetchone() is not None


def _begin(
    context: dg.AssetExecutionContext, workbench: Workbench, layer: Layer, tables: list[str]
) -> str:
    """Enter in the ledger what is about to be built, before anything of it is changed.

    Returns the candidate's id.
    """
    whole_layer = tables == layer_tables(layer)
    settings = Settings()
    with workbench.get_connection() as con:
        if layer.name == "staging":
            for source in all_sources().values():
                create_raw_tables(con, source)
        with transaction(con):
            if layer.name == "staging" and whole_layer:
                ledger.start_candidate(con, context.run.run_id, build_fingerprint(con))
            candidate = ledger.current_candidate(con)
            if candidate is None:
                raise dg.Failure(
                    "no candidate has been started: run the job `build`", allow_retries=False
                )
            ledger.start_layer(con, candidate[0], layer.name, tables, context.run.run_id)
    if layer.name in ("staging", "core") and whole_layer:
        # dbt attaches the candidate from the first layer on: one that a crash left must go.
        settings.candidate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (settings.candidate, settings.candidate.with_suffix(".duckdb.wal")):
            path.unlink(missing_ok=True)
    if layer.name == "core" and whole_layer:
        with duckdb.connect(settings.candidate) as con:
            con.execute("create schema audit")
            con.execute("create table audit.candidate (candidate_id varchar not null)")
            con.execute("insert into audit.candidate values (?)", [candidate[0]])
    elif layer.in_candidate and not _has_stamp(settings.candidate):
        raise dg.Failure(
            "there is no candidate file (the last one was published): run the job `build`",
            allow_retries=False,
        )
    return candidate[0]


def _row_counts(database: Path, results: list[Any]) -> dict[str, int]:
    with duckdb.connect(database, read_only=True) as con:
        return {
            result.node.unique_id: con.execute(
                f"select count(*) from {result.node.schema}.{result.node.name}"
            ).fetchall()[0][0]
            for result in results
            if result.node.resource_type in ("model", "seed") and result.status == "success"
        }


def _charts(
    context: dg.AssetExecutionContext, database: Path, results: list[Any]
) -> dict[str, dict[str, Any]]:
    """Return, for each mart that was built and has a chart, its chart as metadata."""
    from dagster_project.charts.draw import markdown
    from dagster_project.charts.marts import CHARTS

    built = {result.node.name for result in results if result.status == "success"}
    charts: dict[str, dict[str, Any]] = {}
    with duckdb.connect(database, read_only=True) as con:
        for mart in sorted(built & CHARTS.keys()):
            try:
                chart = CHARTS[mart](con)
                shown = markdown(chart) if chart else "nothing to draw: no series is broken down"
                charts[mart] = {"chart": dg.MetadataValue.md(shown)}
            except Exception as error:  # a picture is no reason not to publish the numbers
                problem = f"could not be drawn: {type(error).__name__}: {error}"
                context.log.warning(f"the chart of {mart} {problem}")
                charts[mart] = {"chart": problem}
    return charts


def _check_results(context: dg.AssetExecutionContext, result: Any) -> Iterator[dg.AssetCheckResult]:
    """Show a dbt data test as the asset check it is."""
    key = get_asset_check_key_for_test(manifest(), TRANSLATOR, result.node.unique_id, None)
    if key is None or key not in context.selected_asset_check_keys or result.status == "skipped":
        return
    yield dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.status == "pass",
        severity=dg.AssetCheckSeverity.WARN
        if result.status == "warn"
        else dg.AssetCheckSeverity.ERROR,
        metadata={"failing rows": result.failures or 0, "message": result.message or "passed"},
    )
