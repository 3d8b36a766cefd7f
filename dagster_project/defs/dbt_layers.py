"""dbt layers as Dagster assets: staging → intermediate → core → marts, each one step.

The staging layer starts a candidate: a new ledger entry, to which the gates that follow belong. The
core layer creates the candidate's file, a copy of the live publication unless its project differs.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from dagster_project.publication.candidate import (
    create_candidate,
    publication_to_start_from,
    remove_candidate,
)
from dagster_project.sources import all_sources
from dagster_project.transform.blame import failed_node
from dagster_project.transform.build_fingerprint import build_fingerprint, project_fingerprint
from dagster_project.transform.changes import (
    UNIT_TESTS,
    LayerPlan,
    known_contents,
    select_nodes,
    tests_of,
)
from dagster_project.transform.dbt_runner import DbtError, manifest, run_dbt
from dagster_project.transform.layers import (
    Layer,
    build_order,
    layer_nodes,
    layer_tables,
    layer_tests,
    table_name,
)
from dagster_project.workbench.builds import (
    base_of,
    current_candidate,
    finish_layer,
    node_states,
    record_states,
    start_candidate,
    start_layer,
)
from dagster_project.workbench.connection import transaction
from dagster_project.workbench.gate_results import TestResult, record_test_results
from dagster_project.workbench.releases import accepted_files

FAILED = ("error", "fail", "runtime error")  # dbt statuses
TEST_PASSED = ("pass", "warn")  # a data test that only warns gives a reason: see `requirements.py`


class BuildConfig(dg.Config):
    """How much of a layer runs."""

    full_refresh: bool = Field(
        default=False,
        description="Run all seeds, models and data tests, even those whose inputs have not"
        " changed since their last run; in staging also: start the candidate from nothing.",
    )


def layer_assets(layer: Layer) -> dg.AssetsDefinition:
    """Return the assets of a layer: dbt, wave by wave, its data tests as asset checks.

    Unchanged nodes do not run: see `changes.py`.
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
        with workbench.crash_recorded(f"build of {layer.name}"):
            yield from _build(context, workbench, layer, full_refresh=config.full_refresh)

    return build


def _build(
    context: dg.AssetExecutionContext, workbench: Workbench, layer: Layer, *, full_refresh: bool
) -> Iterator[Any]:
    """Run a layer's nodes, yield their events, and record their results. Raises dg.Failure."""
    settings = workbench.settings
    selected = {".".join(key.path): key for key in context.selected_asset_keys}
    whole_layer = sorted(selected) == layer_tables(layer)
    layer_build = _start_build(context, workbench, layer, sorted(selected), full_refresh)
    if layer_build.plan:
        results = _run_waves(context, workbench, layer, layer_build, layer_build.plan)
        kept = layer_build.plan.kept
    else:
        results, kept = _run_selected(context, settings, layer), {}
    counts = _row_counts(
        layer.database(settings),
        [result.node.unique_id for result in results if is_built(result)]
        + [unique_id for unique_id in layer_nodes(layer) if unique_id in kept],
    )
    charts = chart_metadata(context, settings.candidate, results) if layer.name == "marts" else {}
    ran = {result.node.unique_id: result for result in results}
    for unique_id in build_order(layer):  # Dagster requires this order
        if unique_id in ran:
            yield from result_events(context, ran[unique_id], counts, charts)
        elif unique_id in kept:
            yield from kept_events(context, unique_id, kept[unique_id], counts)
    failed = [result for result in results if result.status in FAILED]
    with workbench.get_connection() as con:
        with transaction(con):
            _record_tests(con, layer, layer_build, results, kept, context.run.run_id)
            if whole_layer and not failed:
                finish_layer(con, layer_build.candidate_id, layer.name, context.run.run_id)
        if failed:
            _fail(context, con, settings, layer, failed)


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


def _run_waves(
    context: dg.AssetExecutionContext,
    workbench: Workbench,
    layer: Layer,
    build: "_LayerBuild",
    plan: LayerPlan,
) -> list[Any]:
    """Run the nodes of a layer whose inputs have changed, and return dbt's results."""
    settings, run_id = workbench.settings, context.run.run_id
    results: list[Any] = []
    while wave := plan.next_nodes():
        partitions = plan.partitions(wave)
        _drop_tables(settings, layer, wave, partitions)
        args = [*select_nodes(wave), "--vars", json.dumps({"changed_partitions": partitions})]
        if layer.name == "staging":
            args.append("--full-refresh")  # of seeds: their columns may have changed
        found = _run_dbt(context, settings, layer, args, wave)
        succeeded = [each.node.unique_id for each in found if each.status in ("success", "pass")]
        with duckdb.connect(layer.database(settings), read_only=True) as con:
            plan.settle(con, succeeded, run_id)
        _record_states(workbench, build, plan, run_id)
        results += found
        if any(result.status in FAILED for result in found):
            return results
    _record_states(workbench, build, plan, run_id)
    context.log.info(
        f"{layer.name}: {len(results)} of {len(build_order(layer))} seeds, models and data"
        " tests run; the inputs of the others have not changed"
    )
    return results


def _run_selected(context: dg.AssetExecutionContext, settings: Settings, layer: Layer) -> list[Any]:
    """Run the selected nodes of a layer, whole, and return dbt's results."""
    of_dagster, _ = get_subset_selection_for_context(
        context=context,
        manifest=manifest(),
        select=layer.select,
        exclude=UNIT_TESTS,
        selector=None,
        dagster_dbt_translator=TRANSLATOR,
        current_dbt_indirect_selection_env=None,
    )
    args = ["--indirect-selection", "buildable", "--full-refresh", *of_dagster]
    return _run_dbt(context, settings, layer, args)


def _run_dbt(
    context: dg.AssetExecutionContext,
    settings: Settings,
    layer: Layer,
    args: Sequence[str],
    tests: Collection[str] | None = None,
) -> list[Any]:
    try:
        return run_dbt(settings, ["build", *args], layer.name, progress_report(context), tests)
    except (DbtError, MachineError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def _drop_tables(
    settings: Settings, layer: Layer, wave: Iterable[str], partitions: Collection[str]
) -> None:
    """Drop tables that are built whole: dbt then creates them.

    In the candidate, all of them; in the workbench, incremental ones, to which dbt would add.
    """
    nodes = layer_nodes(layer)
    whole = [
        table_name(node)
        for node in (nodes[unique_id] for unique_id in wave if unique_id in nodes)
        if node["name"] not in partitions
        and (layer.in_candidate or node["config"]["materialized"] == "incremental")
    ]
    if whole:
        with duckdb.connect(layer.database(settings)) as con:
            for table in whole:
                con.execute(f"drop table if exists {table}")


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
    """A build of a layer: its candidate, and the plan of a whole layer."""

    candidate_id: str
    accepted: list[tuple]
    plan: LayerPlan | None


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
                base = None if full_refresh else publication_to_start_from(settings, con)
                start_candidate(
                    con, context.run.run_id, build_fingerprint(con), project_fingerprint(), base
                )
            candidate = current_candidate(con)
            if candidate is None:
                raise dg.Failure("there is no candidate: run the job `build`", allow_retries=False)
            base = base_of(con, candidate[0])
            before = node_states(con, base) if layer.in_candidate else node_states(con)
            names = {node: table_name(found) for node, found in layer_nodes(layer).items()}
            built = [node for node in names if names[node] in tables]
            nodes = build_order(layer) if whole_layer else [*built, *tests_of(layer, built)]
            known = known_contents(con, candidate[0])
            start_layer(
                con,
                candidate[0],
                layer.name,
                {node: names.get(node) for node in nodes},
                context.run.run_id,
            )
            accepted = accepted_files(con)
        _prepare_candidate(settings, layer, candidate[0], base, whole_layer)
    if not whole_layer:
        return _LayerBuild(candidate[0], accepted, None)
    with duckdb.connect(layer.database(settings), read_only=True) as con:
        there = _tables_and_views(con)
    refresh = full_refresh or (layer.in_candidate and base is None)
    plan = LayerPlan(layer, before, known, there, refresh=refresh)
    return _LayerBuild(candidate[0], accepted, plan)


def _tables_and_views(con: duckdb.DuckDBPyConnection) -> set[str]:
    found = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " union all select schema_name || '.' || view_name from duckdb_views()"
    ).fetchall()
    return {name for (name,) in found}


def _prepare_candidate(
    settings: Settings, layer: Layer, candidate_id: str, base: str | None, whole_layer: bool
) -> None:
    """Remove an old candidate's file, create the new one, or check that it exists."""
    if layer.name in ("staging", "core") and whole_layer:
        # dbt attaches the candidate from the first layer on: one that a crash left must go.
        remove_candidate(settings)
    if layer.name == "core" and whole_layer:
        create_candidate(settings, candidate_id, copy_live=base is not None)
    elif layer.in_candidate and not _has_stamp(settings.candidate):
        raise dg.Failure(
            "there is no candidate file (the last one was published): run the job `build`",
            allow_retries=False,
        )


def _record_states(workbench: Workbench, build: _LayerBuild, plan: LayerPlan, run_id: str) -> None:
    """Record the states of the nodes that have run, or are kept.

    Nothing if a release was accepted or rejected meanwhile: it is unknown which nodes saw it.
    """
    states = plan.take_states()
    with workbench.get_connection() as con, transaction(con):
        if accepted_files(con) == build.accepted:
            record_states(con, build.candidate_id, states, run_id)


def _record_tests(
    con: duckdb.DuckDBPyConnection,
    layer: Layer,
    layer_build: _LayerBuild,
    results: Iterable[Any],
    kept_runs: Mapping[str, str],
    run_id: str,
) -> None:
    """Record the result of each data test that ran; unchanged ones have passed before."""
    tests = layer_tests(layer)
    found = [
        TestResult(
            result.node.unique_id,
            result.node.name,
            run_id,
            result.status in TEST_PASSED,
            result.message,
        )
        for result in results
        if result.node.unique_id in tests and result.status != "skipped"
    ]
    kept = [
        TestResult(test, tests[test]["name"], kept_runs[test], success=True)
        for test in tests
        if test in kept_runs
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
