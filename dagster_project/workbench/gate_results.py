"""Results of gates (`audit.gate_results`) and of data tests (`audit.test_results`)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from dagster_project.workbench.checksums import Checksum
from dagster_project.workbench.ledger_schema import ledger_time

# The kinds of rules: docs/gate-policy.md.
STRUCTURE, LIST, PLAUSIBILITY = "structure", "list", "plausibility"


@dataclass(frozen=True)
class GateResult:
    """The result of one suite on one table (and, for raw tables, one release).

    row_count, checksum: of a table of the candidate, as the suite saw it (`checksums.py`).
    suite_sha256: the digest of the suite as it was run, with its queries and parameters.
    made_from: the digest of the suite and of what the tables that it reads hold. carried_from: the
    run that evaluated it, if it was carried over from there.
    """

    gate: str
    table_name: str
    release_date: date | None
    success: bool
    expectations: int
    failed: int
    details: Sequence[dict]
    row_count: int | None = None
    checksum: str | None = None
    suite_sha256: str | None = None
    made_from: str | None = None
    carried_from: str | None = None


def record_gate_results(
    con: duckdb.DuckDBPyConnection,
    results: Iterable[GateResult],
    run_id: str,
    candidate_id: str | None = None,
) -> None:
    """Record gate results, with the candidate if they are about one."""
    checked_at = ledger_time(con)
    for result in results:
        con.execute(
            "insert into audit.gate_results (gate, table_name, release_date, run_id, success,"
            " expectations, failed, details, checked_at, candidate_id, row_count, checksum,"
            " suite_sha256, made_from, carried_from)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                result.gate,
                result.table_name,
                result.release_date,
                run_id,
                result.success,
                result.expectations,
                result.failed,
                json.dumps(result.details, default=str),
                checked_at,
                candidate_id,
                result.row_count,
                result.checksum,
                result.suite_sha256,
                result.made_from,
                result.carried_from,
            ],
        )


def last_gate_results(
    con: duckdb.DuckDBPyConnection, tables: Sequence[str], release: date
) -> list[GateResult]:
    """Return the last gate results of a release in these tables (`<schema>.<table>`)."""
    rows = con.execute(
        "select gate, table_name, release_date, success, expectations, failed, details from"
        " (select *, row_number() over (partition by table_name order by checked_at desc) as newest"
        " from audit.gate_results where release_date = ? and table_name in (select unnest(?)))"
        " where newest = 1 order by table_name",
        [release, list(tables)],
    ).fetchall()
    return [
        GateResult(gate, table, day, success, expectations, failed, json.loads(details))
        for gate, table, day, success, expectations, failed, details in rows
    ]


def passed_before(
    con: duckdb.DuckDBPyConnection, made_from: Mapping[str, str]
) -> dict[str, GateResult]:
    """Return the results that can be carried over, by table: the last ones with this digest, if no
    expectation failed except for lists, which warn.

    made_from: by `<schema>.<table>`.
    """
    rows = con.execute(
        "select gate, table_name, success, expectations, failed, details,"
        " row_count, checksum, suite_sha256, made_from, coalesce(carried_from, run_id)"
        " from audit.gate_results"
        " where made_from in (select unnest(?::varchar[]))"
        " qualify row_number() over (partition by table_name, made_from order by checked_at desc)"
        " = 1",
        [list(made_from.values())],
    ).fetchall()
    results = [
        GateResult(gate, table, None, success, expectations, failed, json.loads(details), *rest)
        for gate, table, success, expectations, failed, details, *rest in rows
        if made_from.get(table) == rest[-2]
    ]
    return {
        result.table_name: result
        for result in results
        if all(detail["success"] or detail["kind"] == LIST for detail in result.details)
    }


def gated_checksums(con: duckdb.DuckDBPyConnection, candidate_id: str) -> dict[str, Checksum]:
    """Return, by `<schema>.<table>`, what the last gate on each table of a candidate saw."""
    rows = con.execute(
        "select table_name, arg_max((row_count, checksum), checked_at) as seen"
        " from audit.gate_results where candidate_id = ? group by table_name"
        " having seen[2] is not null",
        [candidate_id],
    ).fetchall()
    return {table: Checksum(*seen) for table, seen in rows}


def suites_run(
    con: duckdb.DuckDBPyConnection, candidate_id: str
) -> dict[str, tuple[str | None, list[str]]]:
    """Return, by `<schema>.<table>`, the digest of the suite that the last gate on each table of a
    candidate ran, and the names of the expectations that it evaluated.
    """
    rows = con.execute(
        "select table_name, arg_max((suite_sha256, details), checked_at) from audit.gate_results"
        " where candidate_id = ? group by table_name",
        [candidate_id],
    ).fetchall()
    return {
        table: (sha256, [detail["expectation"] for detail in json.loads(details)])
        for table, (sha256, details) in rows
    }


@dataclass(frozen=True)
class TestResult:
    """The result of a data test. run_id: the run that ran it, which may be an earlier one."""

    __test__ = False  # not a test class for pytest

    test: str
    test_name: str
    run_id: str
    success: bool
    message: str | None = None


def record_test_results(
    con: duckdb.DuckDBPyConnection, candidate_id: str, layer: str, results: Iterable[TestResult]
) -> None:
    """Record the results of a layer's data tests, by dbt's unique id."""
    found = list(results)
    con.execute(
        "insert into audit.test_results select ?, unnest(?), unnest(?::varchar[]), ?,"
        " unnest(?::varchar[]), unnest(?::boolean[]), unnest(?::varchar[]), ?",
        [
            candidate_id,
            [result.test for result in found],
            [result.test_name for result in found],
            layer,
            [result.run_id for result in found],
            [result.success for result in found],
            [result.message for result in found],
            ledger_time(con),
        ],
    )
