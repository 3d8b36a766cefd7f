"""dbt layers as Dagster assets: staging → intermediate → core → marts, each one step.

The staging layer starts a candidate: a new ledger entry, to which the gates that follow belong. The
core layer creates the candidate's file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import dagster as dg
import duckdb
from dagster_dbt import dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from pydantic import Field

from dagster_project.base.machine_errors import MachineError
from dagster_project.base.settings import Settings
from dagster_project.defs.asset_metadata import (
    TRANSLATOR,
    chart_metadata,
    is_built,
    kept_events,
    result_events,
)
from dagster_project.defs.progress import progress_report
from dagster_project.defs.resources import WRITING_POOL, Workbench
from dagster_project.defs.set_aside import judge, record_rejections, retry_without
from dagster_project.ingest.raw_rows import create_raw_tables
from dagster_project.sources import all_sources
from dagster_project.transform.blame import failed_node
from dagster_project.transform.build_fingerprint import build_fingerprint
from dagster_project.transform.dbt_runner import DbtError, manifest, run_dbt
from dagster_project.transform.layers import (
    Layer,
    build_order,
    layer_nodes,
    layer_tables,
    layer_tests,
    table_name,
)
from dagster_project.transform.unchanged_nodes import (
    UNIT_TESTS,
    fingerprints,
    kept_nodes,
    select_nodes,
    tests_of,
)
from dagster_project.workbench.builds import (
    current_candidate,
    finish_layer,
    record_made_from,
    start_candidate,
    start_layer,
)
from dagster_project.workbench.connection import transaction
from dagster_project.workbench.gate_results import TestResult, record_test_results
from dagster_project.workbench.releases import accepted_files

FAILED = ("error", "fail", "runtime error")  # dbt statuses


class BuildConfig(dg.Config):
    """How much of a layer runs."""

    full_refresh: bool = Field(
        default=False,
        description="Run all seeds, models and data tests, even those whose inputs have not"
        " changed since their last run. Core and marts always run whole.",
    )


def layer_assets(layer: Layer) -> dg.AssetsDefinition:
    """Return the assets of a layer: one dbt invocation, its data tests as asset checks.

    In the workbench, unchanged nodes do not run: see `unchanged_nodes.py`.
    """

    @dbt_assets(
        manifest=manifest(),
        select=layer.select,
        exclude=UNIT_TESTS,
        name=f"build_{layer.name}",
        dagster_dbt_translator=TRANSLATOR,
        pool=WRITING_POOL,
    )
    def build(
        context: dg.AssetExecutionContext, config: BuildConfig, workbench: Workbench
    ) -> Iterator[Any]:
        settings = workbench.settings
        selected = {".".join(key.path): key for key in context.selected_asset_keys}
        whole_layer = sorted(selected) == layer_tables(layer)
        layer_build = _start_build(context, workbench, layer, sorted(selected), config.full_refresh)
        results = _run_layer(context, settings, layer, layer_build)
        counts = _row_counts(
            layer.database(settings),
            [result.node.unique_id for result in results if is_built(result)]
            + [unique_id for unique_id in layer_nodes(layer) if unique_id in layer_build.kept],
        )
        charts = (
            chart_metadata(context, settings.candidate, results) if layer.name == "marts" else {}
        )
        ran = {result.node.unique_id: result for result in results}
        for unique_id in build_order(layer):  # Dagster requires this order
            if unique_id in ran:
                yield from result_events(context, ran[unique_id], counts, charts)
            elif unique_id in layer_build.kept:
                yield from kept_events(context, unique_id, layer_build.kept[unique_id], counts)
        failed = [result for result in results if result.status in FAILED]
        with workbench.get_connection() as con:
            with transaction(con):
                if whole_layer and not layer.in_candidate:
                    _record_nodes(con, layer_build, results, context.run.run_id)
                _record_tests(con, layer, layer_build, results, context.run.run_id)
                if whole_layer and not failed:
                    finish_layer(con, layer_build.candidate_id, layer.name, context.run.run_id)
            if failed:
                _fail(context, con, settings, layer, failed)

    return build


def _fail(
    context: dg.AssetExecutionContext,
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layer: Layer,
    failed: Sequence[Any],
) -> NoReturn:
    """Reject the releases that caused the failures, if any did, and fail the step."""
    lines = [
        f"{result.node.name} | found: {result.message} | where: "
        f"dbt/{result.node.original_file_path}"
        for result in failed
    ]
    verdict = judge(con, settings, [failed_node(layer, result) for result in failed])
    with transaction(con):
        record_rejections(con, verdict)
    retry_without(context, con, verdict)
    raise dg.Failure(
        f"{layer.name}: {len(lines)} dbt nodes failed; nothing was built on them\n"
        + "\n".join(lines),
        allow_retries=False,
    )


def _run_layer(
    context: dg.AssetExecutionContext, settings: Settings, layer: Layer, layer_build: "_LayerBuild"
) -> list[Any]:
    """Run the selected nodes of a layer that have changed, and return dbt's results."""
    if layer_build.kept:
        nodes = build_order(layer)
        to_run = [node for node in nodes if node not in layer_build.kept]
        context.log.info(
            f"{layer.name}: {len(to_run)} of {len(nodes)} seeds, models and data tests run;"
            " the inputs of the others have not changed"
        )
        if not to_run:
            return []
        selection = select_nodes(to_run)
    else:
        of_dagster, _ = get_subset_selection_for_context(
            context=context,
            manifest=manifest(),
            select=layer.select,
            exclude=UNIT_TESTS,
            selector=None,
            dagster_dbt_translator=TRANSLATOR,
            current_dbt_indirect_selection_env=None,
        )
        selection = ["--indirect-selection", "buildable", *of_dagster]
    try:
        return run_dbt(settings, ["build", *selection], layer.name, progress_report(context))
    except (DbtError, MachineError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def _has_stamp(candidate: Path) -> bool:
    """Whether the core layer has created this file: dbt creates an empty one by attaching it."""
    if not candidate.exists():
        return False
    with duckdb.connect(candidate, read_only=True) as con:
        found = con.execute(
            "select 1 from duckdb_tables() where schema_name = 'audit' and table_name = 'candidate'"
        )
        return found.fetchone() is not None


@dataclass(frozen=True)
class _LayerBuild:
    """A build of a layer: its candidate, the digests of its nodes' inputs, and unchanged nodes."""

    candidate_id: str
    accepted: list[tuple]
    made_from: Mapping[str, str]
    kept: Mapping[str, str]


def _start_build(
    context: dg.AssetExecutionContext,
    workbench: Workbench,
    layer: Layer,
    tables: list[str],
    full_refresh: bool,
) -> _LayerBuild:
    """Record the nodes to be built in the ledger, before any of them changes."""
    whole_layer = tables == layer_tables(layer)
    settings = workbench.settings
    with workbench.get_connection() as con:
        if layer.name == "staging":
            for source in all_sources().values():
                create_raw_tables(con, source)
        with transaction(con):
            if layer.name == "staging" and whole_layer:
                start_candidate(con, context.run.run_id, build_fingerprint(con))
            candidate = current_candidate(con)
            if candidate is None:
                raise dg.Failure("there is no candidate: run the job `build`", allow_retries=False)
            made_from = {} if layer.in_candidate else fingerprints(con, layer)
            kept = kept_nodes(con, layer, made_from) if whole_layer and not full_refresh else {}
            names = {node: table_name(found) for node, found in layer_nodes(layer).items()}
            built = [node for node in names if node not in kept and names[node] in tables]
            nodes = build_order(layer) if whole_layer else [*built, *tests_of(layer, built)]
            start_layer(
                con,
                candidate[0],
                layer.name,
                {node: names.get(node) for node in nodes},
                context.run.run_id,
                {node: (made_from[node], run_id) for node, run_id in kept.items()},
            )
            layer_build = _LayerBuild(candidate[0], accepted_files(con), made_from, kept)
    _prepare_candidate(settings, layer, candidate[0], whole_layer)
    return layer_build


def _prepare_candidate(
    settings: Settings, layer: Layer, candidate_id: str, whole_layer: bool
) -> None:
    """Remove an old candidate's file, create the new one, or check that it exists."""
    if layer.name in ("staging", "core") and whole_layer:
        # dbt attaches the candidate from the first layer on: one that a crash left must go.
        settings.candidate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (settings.candidate, settings.candidate.with_suffix(".duckdb.wal")):
            path.unlink(missing_ok=True)
    if layer.name == "core" and whole_layer:
        with duckdb.connect(settings.candidate) as con:
            con.execute("create schema audit")
            con.execute("create table audit.candidate (candidate_id varchar not null)")
            con.execute("insert into audit.candidate values (?)", [candidate_id])
    elif layer.in_candidate and not _has_stamp(settings.candidate):
        raise dg.Failure(
            "there is no candidate file (the last one was published): run the job `build`",
            allow_retries=False,
        )


def _record_nodes(
    con: duckdb.DuckDBPyConnection, layer_build: _LayerBuild, results: Iterable[Any], run_id: str
) -> None:
    """Record the digests of the inputs of nodes that succeeded.

    Nothing if a release was accepted or rejected meanwhile: it is unknown which nodes saw it.
    """
    if accepted_files(con) == layer_build.accepted:
        succeeded = [
            result.node.unique_id for result in results if result.status in ("success", "pass")
        ]
        made_from = {
            node: layer_build.made_from[node] for node in succeeded if node in layer_build.made_from
        }
        record_made_from(con, layer_build.candidate_id, made_from, run_id)


def _record_tests(
    con: duckdb.DuckDBPyConnection,
    layer: Layer,
    layer_build: _LayerBuild,
    results: Iterable[Any],
    run_id: str,
) -> None:
    """Record the result of each data test that ran; unchanged ones have passed before."""
    tests = layer_tests(layer)
    found = [
        TestResult(
            result.node.unique_id,
            result.node.name,
            run_id,
            result.status not in FAILED,
            result.message,
        )
        for result in results
        if result.node.unique_id in tests and result.status != "skipped"
    ]
    kept = [
        TestResult(test, tests[test]["name"], layer_build.kept[test], success=True)
        for test in tests
        if test in layer_build.kept
    ]
    record_test_results(con, layer_build.candidate_id, layer.name, [*found, *kept])


def _row_counts(database: Path, unique_ids: Iterable[str]) -> dict[str, int]:
    """Return the row counts of seeds and models, by unique id."""
    with duckdb.connect(database, read_only=True) as con:
        return {
            unique_id: con.execute(
                f"select count(*) from {table_name(manifest()['nodes'][unique_id])}"
            ).fetchall()[0][0]
            for unique_id in unique_ids
        }
