"""Whether the candidate may be published, according to its file and the ledger."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import duckdb

from dagster_project.base.settings import Settings
from dagster_project.gates.suite_files import weakened_expectations
from dagster_project.gates.suites import required_suite
from dagster_project.publication.catalog import catalog_errors
from dagster_project.publication.integrity import changed_tables
from dagster_project.publication.requirements import Requirements, required, weakened_tests
from dagster_project.sources import all_sources
from dagster_project.transform.build_fingerprint import build_fingerprint, has_changed
from dagster_project.transform.layers import candidate_tables
from dagster_project.workbench.builds import current_candidate, tables_built, unfinished_layers
from dagster_project.workbench.gate_results import gated_checksums, suites_run


def publication_blockers(settings: Settings, con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the reasons, from file and ledger, why the current candidate may not be published."""
    candidate = current_candidate(con)
    reasons = _candidate_reasons(settings, candidate)
    if candidate and not reasons:
        reasons = ledger_blockers(con, *candidate, required())
        reasons += [
            f"the gate on {table} has not recorded its checksum"
            for table in candidate_tables()
            if not reasons and table not in gated_checksums(con, candidate[0])
        ]
    return reasons


def content_blockers(settings: Settings, con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the differences between the candidate's tables and what their gates saw."""
    candidate = current_candidate(con)
    gated = gated_checksums(con, candidate[0]) if candidate else {}
    return changed_tables(settings, gated)


def _candidate_reasons(settings: Settings, candidate: tuple[str, str] | None) -> list[str]:
    if candidate is None:
        return ["there is no candidate"]
    if not settings.candidate.exists():
        return ["there is no candidate file: the last one was published, or none was built"]
    try:
        with duckdb.connect(settings.candidate, read_only=True) as con:
            # If a crash has interrupted its publication, the stamp is in the file's own entry.
            tables = {
                name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()
            }
            stamp = con.execute(
                "select candidate_id from audit.candidate"
                if "candidate" in tables
                else "select max_by(candidate_id, published_at) from audit.publication"
            ).fetchall()
        foreign = catalog_errors(settings.candidate)
    except duckdb.Error as error:
        return [f"the candidate file cannot be read ({str(error).splitlines()[0]})"]
    if stamp != [(candidate[0],)]:
        return [f"the candidate file belongs to {stamp}, not to the latest candidate"]
    return foreign


def ledger_blockers(
    con: duckdb.DuckDBPyConnection, candidate_id: str, fingerprint: str, required: Requirements
) -> list[str]:
    """Return the ledger's reasons why a candidate may not be published; empty if there are none.

    fingerprint: the state that the candidate was started from.
    """
    built = tables_built(con, candidate_id)
    last_built = _last_built(required, built)
    reasons = [
        f"the layer {layer} was not built completely, or one of its models or data tests failed"
        for layer in unfinished_layers(con, candidate_id)
    ]
    if build_fingerprint(con) != fingerprint:
        reasons.append("releases, models or gates have changed since the candidate was started")
    if has_changed():
        reasons.append("models, data tests or gates have changed since this process has read them")
    gates = _verdicts(con, candidate_id, "gate_results", "table_name")
    for table, layer in required.tables.items():
        if table not in built:
            reasons.append(f"{table} was not built")
        elif table not in gates:
            reasons.append(f"the gate on {table} was not run")
        elif not gates[table][0]:
            reasons.append(f"the gate on {table} failed")
        elif gates[table][1] < last_built[layer]:
            reasons.append(
                f"{table} or one of its inputs was built again after its gate had passed"
            )
    return [
        *reasons,
        *_tests_not_passed(con, candidate_id, required, last_built),
        *_expectations_not_run(
            con, candidate_id, [table for table in gates if table in required.tables]
        ),
        *_weakened(required),
    ]


def _last_built(required: Requirements, built: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return when each layer, or an earlier one, was last built."""
    last, latest = {}, datetime.min
    for layer in dict.fromkeys(required.tables.values()):
        tables = [table for table, of in required.tables.items() if of == layer]
        latest = max([latest, *(built[table] for table in tables if table in built)])
        last[layer] = latest
    return last


def _verdicts(
    con: duckdb.DuckDBPyConnection, candidate_id: str, results: str, name: str
) -> dict[str, tuple[bool, datetime]]:
    """Return, by name, the last result of a candidate's gates or data tests, and its time."""
    return {
        subject: (success, checked_at)
        for subject, success, checked_at in con.execute(
            f"select {name}, arg_max(success, checked_at), max(checked_at)"
            f" from audit.{results} where candidate_id = ? group by all",
            [candidate_id],
        ).fetchall()
    }


def _tests_not_passed(
    con: duckdb.DuckDBPyConnection,
    candidate_id: str,
    required: Requirements,
    last_built: Mapping[str, datetime],
) -> list[str]:
    """Return the data tests that failed, or were not run, on the candidate's last build."""
    found = _verdicts(con, candidate_id, "test_results", "test")
    failed, not_run = [], []
    for test, layer in required.tests.items():
        success, checked_at = found.get(test, (True, datetime.min))
        if not success:
            failed.append(test.split(".")[2])
        elif test not in found or checked_at < last_built.get(layer, datetime.max):
            not_run.append(test.split(".")[2])
    return [
        f"{len(tests)} data tests {what}: {', '.join(tests)}"
        for what, tests in (("failed", failed), ("were not run on this candidate", not_run))
        if tests
    ]


def _expectations_not_run(
    con: duckdb.DuckDBPyConnection, candidate_id: str, tables: Iterable[str]
) -> list[str]:
    """Return the gates that ran another suite than its files are now, or only a part of it."""
    reasons = []
    ran = suites_run(con, candidate_id)
    for table in sorted(tables):
        needed = required_suite(table)
        sha256, evaluated = ran[table]
        if left_out := Counter(needed.expectations) - Counter(evaluated):
            reasons.append(f"the gate on {table} has not evaluated: {', '.join(left_out)}")
        elif sha256 != needed.sha256:
            reasons.append(
                f"the gate on {table} ran another suite than that of the files now: SHA-256"
                f" {sha256} then; {needed.sha256} now"
            )
    return reasons


def _weakened(required: Requirements) -> list[str]:
    """Return the data tests and expectations that are weakened, without a reason."""
    suites = [f"raw.{table.name}" for source in all_sources().values() for table in source.tables]
    weak = {
        "data tests": weakened_tests(),
        "expectations": [
            each for table in (*suites, *required.tables) for each in weakened_expectations(table)
        ],
    }
    return [
        f"{len(found)} {what} are weakened without a reason: {'; '.join(found)}"
        for what, found in weak.items()
        if found
    ]
