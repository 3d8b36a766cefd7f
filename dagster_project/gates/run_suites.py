"""Runs suites on a DuckDB file, read-only, as SQL.

Great Expectations takes seconds to import, so functions import it when called.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dagster_project.base.environment import own_environment
from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import MachineError, machine_error_behind
from dagster_project.base.settings import Settings
from dagster_project.gates.suite_files import EXPECTATIONS, SEVERITIES
from dagster_project.gates.suites import load_suite, suite_sha256
from dagster_project.sources.code_lists import code_lists
from dagster_project.workbench.checksums import checksum_query
from dagster_project.workbench.gate_results import LIST, GateResult

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.datasource.fluent import SQLDatasource

FAILING_ROWS_SHOWN = 20

# Without these GX 1.24 fails on DuckDB with `list index out of range`: there, a rollback outside a
# transaction is an error.
_ENGINE_OPTIONS = {
    "isolation_level": "AUTOCOMMIT",
    "skip_autocommit_rollback": True,
    "pool_reset_on_return": None,
}

# One asset for all batches, with a new query each: GX writes its whole configuration as YAML
# whenever an asset is added or removed, which took half of a gate's time.
_ASSET = "batch"


@dataclass(frozen=True)
class Batch:
    """The rows that one suite checks: a table, or one release of it.

    previous: the query for the previous current release.
    with_checksum: whether the result has the checksum of these rows.
    """

    gate: str
    table_name: str
    query: str
    release_date: date | None = None
    previous: str | None = None
    with_checksum: bool = False


def run_suites(
    database: Path, batches: Iterable[Batch], settings: Settings, root: Path = EXPECTATIONS
) -> list[GateResult]:
    """Run each batch's suite. An expectation that cannot be evaluated counts as failed.

    Expectations of kind `list` warn and do not fail the gate. Raises BadInput for an error of the
    machine (disk, memory), which no release has caused.
    """
    with own_environment(), _datasource(database, settings) as datasource:
        return [_run(datasource, batch, root, settings) for batch in batches]


@cache
def _context() -> "EphemeralDataContext":
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # Without its documents: their folder is below TMPDIR, where GX takes `$` for a variable.
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


@contextmanager
def _datasource(database: Path, settings: Settings) -> "Iterator[SQLDatasource]":
    context = _context()
    # `kwargs` is passed to SQLAlchemy's create_engine; GX's type stub does not know that.
    connect = {"read_only": True, "config": dict(settings.duckdb_closed_config)}
    options: dict[str, Any] = {"kwargs": {**_ENGINE_OPTIONS, "connect_args": connect}}
    datasource = context.data_sources.add_sql(
        name="warehouse", connection_string=f"duckdb:///{quote(str(database))}", **options
    )
    datasource.add_query_asset(_ASSET, query="select 1").add_batch_definition_whole_table(_ASSET)
    try:
        yield datasource
    finally:
        # A pooled connection would keep the file open, and lock out the next writer.
        datasource.get_engine().dispose()
        datasource.get_execution_engine().engine.dispose()
        context.data_sources.delete("warehouse")


def _run(datasource: "SQLDatasource", batch: Batch, root: Path, settings: Settings) -> GateResult:
    parameters: dict[str, Any] = code_lists(batch.release_date)
    suite = load_suite(batch.table_name, parameters, root, batch.previous)
    digest = suite_sha256(suite, parameters)
    rows, checksum = _content(datasource, batch)
    with (
        _machine_errors_raised(datasource),
        _single_scan(datasource, batch, suite, settings),
    ):
        results = _validate(datasource, batch, suite, parameters)
    details = [_detail(result, batch, rows) for result in results]
    _raise_if_not_run(suite, details)
    failed = [detail for detail in details if not detail["success"]]
    return GateResult(
        gate=batch.gate,
        table_name=batch.table_name,
        release_date=batch.release_date,
        success=not any(detail["severity"] == "critical" for detail in failed),
        expectations=len(details),
        failed=len(failed),
        details=details,
        row_count=rows,
        checksum=checksum,
        suite_sha256=digest,
    )


def _raise_if_not_run(suite: dict[str, Any], details: list[dict[str, Any]]) -> None:
    """Raise BadInput if an expectation of the suite has no result: it has not passed."""
    wanted = Counter(expectation["description"] for expectation in suite["expectations"])
    if left_out := wanted - Counter(detail["expectation"] for detail in details):
        raise BadInput(
            "expectations were not evaluated",
            where=f"the suite of {suite['name']}",
            expected="a result for each expectation",
            found=f"none for {'; '.join(sorted(left_out))}",
            fix="correct the expectation, or report it to the maintainers of the project",
        )


@contextmanager
def _machine_errors_raised(datasource: "SQLDatasource") -> Iterator[None]:
    """Raise MachineError after the block if one of its statements failed for the machine.

    Results have only an error's message; SQLAlchemy gives the exception to listeners.
    """
    import sqlalchemy as sa

    found: list[MachineError] = []

    def note(context: Any) -> None:
        problem = machine_error_behind(context.original_exception, "gate")
        if problem:
            found.append(problem)

    engine = datasource.get_execution_engine().engine
    sa.event.listen(engine, "handle_error", note)
    try:
        yield
    finally:
        sa.event.remove(engine, "handle_error", note)
    if found:
        raise found[0]


def _content(datasource: "SQLDatasource", batch: Batch) -> tuple[int | None, str | None]:
    """Return a batch's row count, and its checksum if asked for.

    Both come from the connection that the suite reads from, so they are of the same rows. None if
    the batch cannot be read: its expectations report why.
    """
    import sqlalchemy as sa

    rows = f"({batch.query})"
    query = checksum_query(rows) if batch.with_checksum else f"select count(*) from {rows} as batch"
    try:
        found = datasource.get_execution_engine().execute_query(sa.text(query)).fetchall()
    except sa.exc.SQLAlchemyError:
        return None, None
    count, *rest = found[0]
    checksum = str(rest[0]) if rest else None
    return int(str(count)), checksum


def _single_scan(
    datasource: "SQLDatasource", batch: Batch, suite: dict[str, Any], settings: Settings
) -> AbstractContextManager[None]:
    """Count all row rules of a suite in one scan, if that patch is on."""
    if not settings.is_patched("gx_single_scan"):
        return nullcontext()
    from dagster_project.patches.gx_single_scan import single_scan

    queries = [
        expectation["kwargs"]["unexpected_rows_query"]
        for expectation in suite["expectations"]
        if "unexpected_rows_query" in expectation["kwargs"]
    ]
    return single_scan(datasource.get_execution_engine(), batch.query, queries)


def _validate(
    datasource: "SQLDatasource",
    batch: Batch,
    suite: dict[str, Any],
    parameters: dict[str, Any],
) -> list[Any]:
    from great_expectations import ExpectationSuite

    asset = datasource.get_asset(_ASSET)
    asset.query = batch.query
    validation = (
        asset.get_batch_definition(_ASSET)
        .get_batch()
        .validate(
            ExpectationSuite(**suite),
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": suite["meta"]["lineage"],
                "partial_unexpected_count": FAILING_ROWS_SHOWN,
            },
            expectation_parameters=parameters,
        )
    )
    return validation.results


def _detail(validation: Any, batch: Batch, rows_checked: int | None) -> dict[str, Any]:
    """Return the parts of a validation result that messages, the UI and the ledger use."""
    config, result = validation.expectation_config, validation.result
    errors = [
        info["exception_message"] or info["exception_traceback"].strip().splitlines()[-1]
        for info in _exceptions(validation.exception_info)
        if info.get("raised_exception")
    ]
    found = result.get("partial_unexpected_index_list")
    rows = (found or result.get("details", {}).get("unexpected_rows", []))[:FAILING_ROWS_SHOWN]
    failing = result.get("unexpected_count")
    if failing is None and config.type == "unexpected_rows_expectation":
        failing = result.get("observed_value")
    column = config.kwargs.get("column") or ", ".join(config.kwargs.get("column_list", []))
    meta = config.meta
    kind = meta["kind"]
    observed = "; ".join(errors) or _observed(result, failing)
    if kind == LIST and rows and "rows_found" in rows[0]:
        observed = _codes(rows, failing)
    return {
        "expectation": config.description or config.type,
        "type": config.type,
        "column": column,
        "kind": kind,
        "ground": meta["ground"],
        # A list rule that cannot be evaluated is an error in the suite, not a new code.
        "severity": "critical" if errors else SEVERITIES[kind],
        "success": bool(validation.success),
        "observed": observed,
        "rows_checked": rows_checked,
        "failing": failing if isinstance(failing, int) else 0,
        "failing_rows": [dict(row) for row in rows],
        "fix": meta["fix"],
        "failing_query": "" if validation.success else _failing_query(config, result, batch),
    }


def _failing_query(config: Any, result: dict[str, Any], batch: Batch) -> str:
    """Return the SQL of all rows that fail a rule; empty for a rule on a whole table."""
    if rule := config.kwargs.get("unexpected_rows_query"):
        return rule.format(batch=f"({batch.query})")
    # GX inserts the batch's query where a table name belongs.
    written = (result.get("unexpected_index_query") or "").rstrip(";")
    return written.replace(f"FROM {batch.query}", f"FROM ({batch.query}) as batch", 1)


def _exceptions(info: dict[str, Any] | None) -> list[dict[str, Any]]:
    if not info:
        return []
    return [info] if "raised_exception" in info else list(info.values())


def _codes(rows: list[dict[str, Any]], codes: int) -> str:
    """Return the codes that a list rule found, with their row counts, most frequent first."""
    named = [f"{row['column_name']} {row['code']!r} ({row['rows_found']:,})" for row in rows]
    more = [] if len(rows) == codes else ["…"]
    return f"{codes:,} code{'' if codes == 1 else 's'}, with rows: {', '.join(named + more)}"


def _observed(result: dict[str, Any], failing: Any) -> str:
    if failing is not None:
        of = result.get("element_count")
        return f"{failing:,} row{'' if failing == 1 else 's'}" + (f" of {of:,}" if of else "")
    return str(result.get("observed_value", ""))
