"""Gates as blocking asset checks: on a release of the raw tables, and on a layer of the models."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import dagster as dg

from dagster_project import ledger
from dagster_project.gates.report import explain
from dagster_project.gates.validate import Batch, run_suites
from dagster_project.ingest.assets import WRITING_POOL, raw_key
from dagster_project.ingest.load import drop_rows_not_in_force, loaded_rows_query
from dagster_project.ledger import GateResult
from dagster_project.models.assets import Layer, layer_tables
from dagster_project.resources import Workbench
from dagster_project.settings import Settings
from dagster_project.sources.source import Source
from dagster_project.workbench import transaction

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
        if not context.has_partition_key:
            raise dg.Failure("choose a release: this check runs on one partition")
        release = date.fromisoformat(context.partition_key)
        with workbench.get_connection() as con:
            entries = ledger.file_entries(con, source.name, release)
            previous = ledger.in_force_before(con, source.name, release)
        entered = entries.get("loaded") or entries.get("accepted")
        if not entered:
            raise dg.Failure(
                f"{source.name} {release} is not loaded: materialize its raw assets first",
                allow_retries=False,
            )
        loaded_at = entered[0].loaded_at
        results = run_suites(
            Path(workbench.database),
            [
                Batch(
                    "raw",
                    f"raw.{table.name}",
                    loaded_rows_query(table, release, loaded_at),
                    release,
                    loaded_rows_query(table, *previous) if previous else None,
                )
                for table in source.tables
            ],
        )
        passed = all(result.success for result in results)
        with workbench.get_connection() as con, transaction(con):
            ledger.enter_gate_results(con, results, context.run.run_id)
            # A release in force that is looked at again stays in force: only a person takes it out.
            if "loaded" in entries:
                status, reason = ("accepted", None) if passed else ("rejected", explain(results))
                ledger.decide(con, source.name, release, loaded_at, status, reason)
                if passed:
                    drop_rows_not_in_force(con, source, release)
        yield from _as_check_results(results)

    return gate


def layer_gate(layer: Layer) -> dg.AssetChecksDefinition:
    """Return the check on all tables of a layer of the models."""

    @dg.multi_asset_check(
        name=f"gate_{layer.name}",
        specs=[
            _spec(dg.AssetKey(table.split(".")), "Stops what is built on it.")
            for table in layer_tables(layer)
        ],
        pool=WRITING_POOL,
        can_subset=True,
    )
    def gate(
        context: dg.AssetCheckExecutionContext, workbench: Workbench
    ) -> Iterator[dg.AssetCheckResult]:
        selected = sorted(".".join(key.asset_key.path) for key in context.selected_asset_check_keys)
        with workbench.get_connection() as con:
            candidate = ledger.current_candidate(con)
        results = run_suites(
            layer.database(Settings()),
            [Batch(layer.name, table, f"select * from {table}") for table in selected],
        )
        with workbench.get_connection() as con, transaction(con):
            ledger.enter_gate_results(
                con, results, context.run.run_id, candidate[0] if candidate else None
            )
        if not all(result.success for result in results):
            context.log.error(explain(results))
        yield from _as_check_results(results)

    return gate


def _as_check_results(results: Iterable[GateResult]) -> Iterator[dg.AssetCheckResult]:
    """Show each result in the UI: a table of the expectations, and one of the failing rows."""
    for result in results:
        failed = [detail for detail in result.details if not detail["success"]]
        metadata = {
            "expectations": dg.MetadataValue.table(
                [
                    dg.TableRecord(
                        {
                            "result": "passed" if detail["success"] else "FAILED",
                            "expectation": detail["expectation"],
                            "severity": detail["severity"],
                            "observed": detail["observed"],
                            "what to do": "" if detail["success"] else detail["fix"],
                        }
                    )
                    for detail in sorted(result.details, key=lambda detail: detail["success"])
                ]
            ),
        }
        rows = [
            {"expectation": detail["expectation"]}
            | {name.lstrip("_"): str(value) for name, value in row.items() if value is not None}
            for detail in failed
            for row in detail["failing_rows"]
        ]
        if rows:
            columns = list(dict.fromkeys(name for row in rows for name in row))
            metadata["failing rows"] = dg.MetadataValue.table(
                [dg.TableRecord({name: row.get(name, "") for name in columns}) for row in rows],
                schema=dg.TableSchema([dg.TableColumn(name) for name in columns]),
            )
        yield dg.AssetCheckResult(
            asset_key=dg.AssetKey(result.table_name.split(".")),
            check_name=GATE,
            passed=result.success and not failed,
            severity=dg.AssetCheckSeverity.WARN if result.success else dg.AssetCheckSeverity.ERROR,
            description=explain([result]) or f"{result.expectations} expectations evaluated",
            metadata=metadata,
        )
