"""Running suites on a DuckDB file, pushed down as SQL and read-only.

Great Expectations costs seconds to import: only the functions here do it, when they are called.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.base.environment import own_environment
from dagster_project.base.machine_errors import machine_trouble
from dagster_project.base.settings import Settings
from dagster_project.gates.suites import EXPECTATIONS, SEVERITIES, load_suite
from dagster_project.sources.code_lists import code_lists
from dagster_project.workbench.gate_results import LIST, GateResult

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.datasource.fluent import SQLDatasource

FAILING_ROWS_SHOWN = 20

# Without these GX 1.24 fails on DuckDB with `list index out of range`: a rollback outside of a
# transaction is an error there.
_ENGINE_OPTIONS = {
    "isolation_level": "AUTOCOMMIT",
    "skip_autocommit_rollback": True,
    "pool_reset_on_return": None,
}

# One asset, whose query is that of the batch in hand: GX writes its whole configuration as YAML
# each time that one comes or goes, which took half of a gate's time.
_ASSET = "batch"


@dataclass(frozen=True)
class Batch:
    """What one suite is run on: a table, or one release of it, beside the release before."""

    gate: str
    table_name: str
    query: str
    release_date: date | None = None
    previous: str | None = None


def run_suites(
    database: Path, batches: Iterable[Batch], root: Path = EXPECTATIONS
) -> list[GateResult]:
    """Run each batch's suite. An expectation that cannot be evaluated counts as failed.

    Expectations of kind `list` are reported and do not fail the gate. Raises BadInput where it was
    the machine (disk, memory) that kept one from being evaluated: no release is to blame.
    """
    with own_environment(), _datasource(database) as datasource:
        return [_run(datasource, batch, root) for batch in batches]


@cache
def _context() -> "EphemeralDataContext":
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@contextmanager
def _datasource(database: Path) -> "Iterator[SQLDatasource]":
    context = _context()
    # `kwargs` goes through to SQLAlchemy's create_engine; GX's own type stub does not know it.
    connect = {"read_only": True, "config": dict(Settings().duckdb_closed_config)}
    options: dict[str, Any] = {"kwargs": {**_ENGINE_OPTIONS, "connect_args": connect}}
    datasource = context.data_sources.add_sql(
        name="warehouse", connection_string=f"duckdb:///{database}", **options
    )
    datasource.add_query_asset(_ASSET, query="select 1").add_batch_definition_whole_table(_ASSET)
    try:
        yield datasource
    finally:
        # A pooled connection would keep the file open read-only, and the next writer out.
        datasource.get_engine().dispose()
        datasource.get_execution_engine().engine.dispose()
        context.data_sources.delete("warehouse")


def _run(datasource: "SQLDatasource", batch: Batch, root: Path) -> GateResult:
    from great_expectations import ExpectationSuite

    from dagster_project.patches.gx_single_scan import judge_in_one_scan

    parameters = code_lists(batch.release_date)
    suite = load_suite(batch.table_name, parameters, root, batch.previous)
    judge_in_one_scan(
        datasource.get_execution_engine(),
        batch.query,
        [
            expectation["kwargs"]["unexpected_rows_query"]
            for expectation in suite["expectations"]
            if "unexpected_rows_query" in expectation["kwargs"]
        ],
    )
    lineage = suite.get("meta", {}).get("lineage", [])
    asset = datasource.get_asset(_ASSET)
    asset.query = batch.query
    validation = (
        asset.get_batch_definition(_ASSET)
        .get_batch()
        .validate(
            ExpectationSuite(**suite),
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": lineage,
                "partial_unexpected_count": FAILING_ROWS_SHOWN,
            },
            expectation_parameters=parameters,
        )
    )
    details = [_detail(result, batch) for result in validation.results]
    failed = [detail for detail in details if not detail["success"]]
    return GateResult(
        gate=batch.gate,
        table_name=batch.table_name,
        release_date=batch.release_date,
        success=not any(detail["severity"] == "critical" for detail in failed),
        expectations=len(details),
        failed=len(failed),
        details=details,
    )


def _detail(validation: Any, batch: Batch) -> dict[str, Any]:
    """Boil one validation result down to what a person, the UI and the ledger need."""
    config, result = validation.expectation_config, validation.result
    errors = [
        info["exception_message"] or info["exception_traceback"].strip().splitlines()[-1]
        for info in _exceptions(validation.exception_info)
        if info.get("raised_exception")
    ]
    problem = machine_trouble("\n".join(errors), "gate")
    if problem:
        raise problem
    rows = result.get("partial_unexpected_index_list") or result.get("details", {}).get(
        "unexpected_rows", []
    )
    failing = result.get("unexpected_count")
    if failing is None and config.type == "unexpected_rows_expectation":
        failing = result.get("observed_value")
    column = config.kwargs.get("column") or ", ".join(config.kwargs.get("column_list", []))
    meta = config.meta or {}
    kind = meta.get("kind", "")
    severity = str(getattr(config.severity, "value", config.severity or "critical"))
    observed = "; ".join(errors) or _observed(result, failing)
    if kind == LIST and rows and "rows_found" in rows[0]:
        observed = _codes(rows, failing)
    return {
        "expectation": config.description or config.type,
        "type": config.type,
        "column": column,
        "kind": kind,
        "ground": meta.get("ground", ""),
        # A list that cannot be evaluated is a fault of ours, not a new code.
        "severity": "critical" if errors else SEVERITIES.get(kind, severity),
        "success": bool(validation.success),
        "observed": observed,
        "failing": failing if isinstance(failing, int) else 0,
        "failing_rows": [dict(row) for row in rows[:FAILING_ROWS_SHOWN]],
        "fix": meta.get("fix", ""),
        "failing_query": "" if validation.success else _failing_query(config, result, batch),
    }


def _failing_query(config: Any, result: dict[str, Any], batch: Batch) -> str:
    """Return the SQL that gives all rows that fail a rule; none for a rule on a whole table."""
    if rule := config.kwargs.get("unexpected_rows_query"):
        return rule.format(batch=f"({batch.query})")
    # GX writes the query of the batch as if it were the name of a table.
    written = (result.get("unexpected_index_query") or "").rstrip(";")
    return written.replace(f"FROM {batch.query}", f"FROM ({batch.query}) as batch", 1)


def _exceptions(info: dict[str, Any] | None) -> list[dict[str, Any]]:
    if not info:
        return []
    return [info] if "raised_exception" in info else list(info.values())


def _codes(rows: list[dict[str, Any]], codes: int) -> str:
    """Say which codes a list rule found, most frequent first, and in how many rows each."""
    named = [f"{row['column_name']} {row['code']!r} ({row['rows_found']:,})" for row in rows]
    more = [] if len(rows) == codes else ["…"]
    return f"{codes:,} code{'' if codes == 1 else 's'}, with rows: {', '.join(named + more)}"


def _observed(result: dict[str, Any], failing: Any) -> str:
    if failing is not None:
        of = result.get("element_count")
        return f"{failing:,} row{'' if failing == 1 else 's'}" + (f" of {of:,}" if of else "")
    return str(result.get("observed_value", ""))
