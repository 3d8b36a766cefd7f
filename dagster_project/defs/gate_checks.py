"""Gates as blocking asset checks: on a release of the raw tables, and on a layer of the models."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from dagster_project.base.errors import printable
from dagster_project.base.hashing import text_sha256
from dagster_project.base.settings import Settings
from dagster_project.defs.progress import progress_report
from dagster_project.defs.raw import REFUSED, raw_key
from dagster_project.defs.resources import WRITING_POOL, Workbench
from dagster_project.defs.set_aside import Verdict, judge, record_rejections, retry_without
from dagster_project.gates.explain import explain
from dagster_project.gates.release_gate import gate_release
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.gates.suites import load_suite, suite_sha256
from dagster_project.publication.catalog import foreign_objects
from dagster_project.sources.code_lists import code_lists
from dagster_project.sources.source import Source
from dagster_project.transform.blame import failed_expectations
from dagster_project.transform.changes import gate_inputs, known_contents
from dagster_project.transform.contents import Contents
from dagster_project.transform.layers import Layer, layer_tables
from dagster_project.workbench.builds import current_candidate
from dagster_project.workbench.connection import transaction
from dagster_project.workbench.gate_results import (
    GateResult,
    passed_before,
    record_gate_results,
)

GATE = "gate"  # the name of the check on every asset


def _spec(key: dg.AssetKey, about: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        GATE,
        asset=key,
        blocking=True,
        description=f"Great Expectations suite expectations/{'/'.join(key.path)}.json. {about}",
    )


def raw_gate(source: Source) -> dg.AssetChecksDefinition:
    """Return the check that accepts or rejects a release of a source in the ledger."""

    @dg.multi_asset_check(
        name=f"gate_{source.name}",
        specs=[_spec(raw_key(table), "Accepts or rejects the release.") for table in source.tables],
        pool=WRITING_POOL,
    )
    def gate(
        context: dg.AssetCheckExecutionContext, workbench: Workbench
    ) -> Iterator[dg.AssetCheckResult]:
        if not context.has_partition_key and not context.has_partition_key_range:
            raise dg.Failure("choose a release: this check runs on partitions", allow_retries=False)
        refused = _refusals(context)
        results: list[GateResult] = []
        for day in context.partition_keys:
            if day in refused:
                continue
            with workbench.crash_recorded("gate on raw", source.name, day):
                judged = gate_release(
                    workbench.settings,
                    workbench.get_connection,
                    source,
                    date.fromisoformat(day),
                    context.run.run_id,
                )
            if judged:
                results += judged
            else:
                refused[day] = (
                    f"{source.name} {day} is not loaded: materialize its raw assets first"
                )
        if not results:
            raise dg.Failure("\n".join(refused.values()), allow_retries=False)
        yield from check_results(results, list(refused.values()))

    return gate


def _refusals(context: dg.AssetCheckExecutionContext) -> dict[str, str]:
    """Return the reasons for which the load in this run refused releases."""
    loads = context.instance.get_records_for_run(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    events = [load.asset_materialization for load in loads]
    return {
        event.partition: str(event.metadata[REFUSED].value)
        for event in events
        if event and event.partition and REFUSED in event.metadata
    }


def layer_gate(layer: Layer) -> dg.AssetChecksDefinition:
    """Return the check on all tables of a layer of the models."""

    @dg.multi_asset_check(
        name=f"gate_{layer.name}",
        specs=[
            _spec(dg.AssetKey(table.split(".")), "Stops everything built on it.")
            for table in layer_tables(layer)
        ],
        pool=WRITING_POOL,
        can_subset=True,
    )
    def gate(
        context: dg.AssetCheckExecutionContext, workbench: Workbench
    ) -> Iterator[dg.AssetCheckResult]:
        with workbench.crash_recorded(f"gate of {layer.name}"):
            yield from _gate(context, workbench, layer)

    return gate


def _gate(
    context: dg.AssetCheckExecutionContext, workbench: Workbench, layer: Layer
) -> Iterator[dg.AssetCheckResult]:
    """Check the selected tables of a layer, and record the results."""
    selected = sorted(".".join(key.asset_key.path) for key in context.selected_asset_check_keys)
    with workbench.get_connection() as con:
        candidate = current_candidate(con)
        known = known_contents(con, candidate[0]) if candidate else {}
        made_from = {table: _made_from(table, known) for table in selected}
        carried = passed_before(
            con, {table: digest for table, digest in made_from.items() if digest}
        )
    batches = [
        Batch(layer.name, table, f"select * from {table}", with_checksum=layer.in_candidate)
        for table in selected
        if table not in carried
    ]
    if layer.in_candidate:
        _refuse_foreign_objects(workbench.settings)
    report = progress_report(context)
    with report.follow(f"gate of {layer.name}", " tables", len(batches)) as progress:
        results = run_suites(
            layer.database(workbench.settings), progress.track(batches), workbench.settings
        )
    with workbench.get_connection() as con:
        verdict = judge(con, workbench.settings, failed_expectations(layer, results))
        evaluated = [_downgrade_accepted(result, verdict) for result in results]
        results = [
            *(replace(result, made_from=made_from[result.table_name]) for result in evaluated),
            *carried.values(),
        ]
        with transaction(con):
            record_gate_results(
                con, results, context.run.run_id, candidate[0] if candidate else None
            )
            record_rejections(con, verdict)
        retry_without(context, con, verdict)
    if not all(result.success for result in results):
        context.log.error(explain(results))
    yield from check_results(results)


def _made_from(table: str, known: Mapping[str, Contents]) -> str | None:
    """Return the digest of a suite and of what it reads: its table, and those that it names."""
    lists = code_lists(None)
    suite = load_suite(table, lists)
    read = gate_inputs(table, json.dumps(suite), known)
    return read and text_sha256(f"{read} {suite_sha256(suite, lists)}")


def _refuse_foreign_objects(settings: Settings) -> None:
    """Fail if the candidate holds anything that the project does not make: a macro in it would
    hide DuckDB's function of that name from the suites.
    """
    if found := foreign_objects(settings.candidate):
        raise dg.Failure(
            "the candidate is not as this run has built it: " + "; ".join(found),
            allow_retries=False,
        )


def _downgrade_accepted(result: GateResult, verdict: Verdict) -> GateResult:
    """Turn failures caused only by manually accepted releases into warnings."""
    rules = {rule.rule for rule in verdict.excused if rule.table == result.table_name}
    details = [
        detail | {"severity": "warning"} if detail["expectation"] in rules else detail
        for detail in result.details
    ]
    failed = [detail for detail in details if not detail["success"]]
    success = not any(detail["severity"] == "critical" for detail in failed)
    return replace(result, details=details, success=success)


def check_results(
    results: Iterable[GateResult], refused: Sequence[str] = ()
) -> Iterator[dg.AssetCheckResult]:
    """Yield each table's result for the UI: one table of expectations, one of failing rows.

    A raw table may have results of several releases, and releases that were `refused`.
    """
    by_table: dict[str, list[GateResult]] = {}
    for result in results:
        by_table.setdefault(result.table_name, []).append(result)
    for table, found in by_table.items():
        expectations, rows = [], []
        for result in found:
            release = {"release": str(result.release_date)} if len(found) > 1 else {}
            for detail in sorted(result.details, key=lambda detail: detail["success"]):
                expectations.append(release | _expectation(detail))
                rows += [release | row for row in _failing_rows(detail)]
        metadata = {"expectations": _table(expectations)}
        if rows:
            metadata["failing rows"] = _table(rows)
        success = all(result.success for result in found) and not refused
        yield dg.AssetCheckResult(
            asset_key=dg.AssetKey(table.split(".")),
            check_name=GATE,
            passed=success and not any(result.failed for result in found),
            severity=dg.AssetCheckSeverity.WARN if success else dg.AssetCheckSeverity.ERROR,
            description="\n".join(
                filter(None, [*refused, explain(found), explain(found, "warning")])
            )
            or f"{sum(result.expectations for result in found)} expectations {_evaluated(found)}",
            metadata=metadata,
        )


def _evaluated(found: Iterable[GateResult]) -> str:
    """Say where results come from: the rows and the suite may be unchanged since an earlier run."""
    runs = sorted({result.carried_from for result in found if result.carried_from})
    return f"evaluated by run {', '.join(runs)} on the same rows" if runs else "evaluated"


def _expectation(detail: dict[str, Any]) -> dict[str, str]:
    rows = detail["rows_checked"]
    return {
        "result": "passed" if detail["success"] else "FAILED",
        "expectation": detail["expectation"],
        "kind": detail.get("kind", ""),
        "severity": detail["severity"],
        "observed": printable(str(detail["observed"])),
        "rows checked": "" if rows is None else f"{rows:,}",
        "what to do": "" if detail["success"] else detail["fix"],
    }


def _failing_rows(detail: dict[str, Any]) -> list[dict[str, str]]:
    if detail["success"]:
        return []
    return [
        {"expectation": detail["expectation"]}
        | {
            printable(name.lstrip("_")): printable(str(value))
            for name, value in row.items()
            if value is not None
        }
        for row in detail["failing_rows"]
    ]


def _table(rows: list[dict[str, str]]) -> dg.TableMetadataValue:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return dg.MetadataValue.table(
        [dg.TableRecord({name: row.get(name, "") for name in columns}) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(name) for name in columns]),
    )
