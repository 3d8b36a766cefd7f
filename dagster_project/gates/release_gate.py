"""The gate on raw: it accepts one load of a release, or rejects it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.gates.explain import explain
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.gates.suite_files import weakened_expectations
from dagster_project.ingest.raw_rows import loaded_rows_query
from dagster_project.sources.source import Source
from dagster_project.workbench.connection import transaction
from dagster_project.workbench.gate_results import GateResult, record_gate_results
from dagster_project.workbench.releases import current_before, file_entries, set_release_status


def gate_release(
    settings: Settings,
    connect: Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]],
    source: Source,
    release: date,
    run_id: str,
) -> list[GateResult]:
    """Run the suites of a source's raw tables on the last load; record results and decision.

    connect: opens the workbench for writing, which is closed while the suites read. A current
    release that is checked again stays current: only a person rejects it. The rows of a replaced
    load stay until a publication, as a later layer may reject this one. Returns no results if the
    release is not loaded. Raises BadInput if a suite is weakened without a reason.
    """
    weakened = [
        weak for table in source.tables for weak in weakened_expectations(f"raw.{table.name}")
    ]
    if weakened:
        raise BadInput(
            "weakened expectations without a reason",
            where="expectations/raw/",
            expected="expectations that let no failing row pass, or a `reason`",
            found="; ".join(weakened),
            fix="undo the change, or give the reason (docs/adding-a-source.md, Suites)",
        )
    with connect() as con:
        entries = file_entries(con, source.name, release)
        files = entries.get("loaded") or entries.get("accepted")
        if not files:
            return []
        loaded_at = files[0].loaded_at
        previous = current_before(con, source.name, release, loaded_at)
    results = run_suites(
        settings.workbench,
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
        settings,
    )
    passed = bool(results) and all(result.success for result in results)
    with connect() as con, transaction(con):
        record_gate_results(con, results, run_id)
        if "loaded" in entries:
            status, reason = ("accepted", None) if passed else ("rejected", explain(results))
            set_release_status(con, source.name, release, loaded_at, status, reason)
    return results
