"""The ledger: schema `audit` of the workbench. What was loaded, checked, built and published.

Functions take an open connection and leave transactions to the caller. Times are UTC.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import duckdb

from dagster_project.base.errors import BadInput

_DDL = """
create schema if not exists raw;
create schema if not exists audit;
create table if not exists audit.releases (
    source varchar not null,
    release_date date not null,
    file_name varchar not null,
    sha256 varchar not null,
    bytes bigint not null,
    rows_read bigint not null,
    rows_kept bigint not null,
    status varchar not null check (status in ('loaded', 'accepted', 'rejected', 'superseded')),
    reason varchar,
    loaded_at timestamp not null,
    modified_at timestamp not null
);
create table if not exists audit.gate_results (
    gate varchar not null,
    table_name varchar not null,
    release_date date,
    run_id varchar not null,
    success boolean not null,
    expectations integer not null,
    failed integer not null,
    details varchar not null,
    checked_at timestamp not null,
    candidate_id varchar
);
create table if not exists audit.candidates (
    candidate_id varchar not null,
    run_id varchar not null,
    fingerprint varchar not null,
    started_at timestamp not null
);
create table if not exists audit.materializations (
    candidate_id varchar not null,
    layer varchar not null,
    table_name varchar not null,
    run_id varchar not null,
    materialized_at timestamp not null
);
create table if not exists audit.layer_builds (
    candidate_id varchar not null,
    layer varchar not null,
    run_id varchar not null,
    started_at timestamp not null,
    finished_at timestamp
);
create table if not exists audit.node_builds (
    node varchar not null,
    made_from varchar not null,
    run_id varchar not null
);
create table if not exists audit.test_results (
    candidate_id varchar not null,
    test varchar not null,
    test_name varchar not null,
    layer varchar not null,
    run_id varchar not null,
    success boolean not null,
    message varchar,
    checked_at timestamp not null
);
create table if not exists audit.publication (
    publication_id varchar not null,
    published_at timestamp not null,
    run_id varchar not null,
    duckdb_version varchar not null,
    candidate_id varchar not null,
    fingerprint varchar not null
);
create table if not exists audit.decisions (
    decided_at timestamp not null,
    decision varchar not null,
    subject varchar not null,
    reason varchar not null
);
"""


# The kinds of rules that gates know: docs/gate-policy.md.
STRUCTURE, LIST, PLAUSIBILITY = "structure", "list", "plausibility"

_TICK = timedelta(milliseconds=1)  # ids of publications are times in milliseconds

_TIMES = {
    "releases": ("loaded_at",),
    "gate_results": ("checked_at",),
    "candidates": ("started_at",),
    "materializations": ("materialized_at",),
    "layer_builds": ("started_at", "finished_at"),
    "test_results": ("checked_at",),
    "publication": ("published_at",),
    "decisions": ("decided_at",),
}


def now(con: duckdb.DuckDBPyConnection) -> datetime:
    """The current time in UTC, without a zone; later than any that the ledger holds.

    What comes last in the ledger is what counts. A clock that was put back must not turn that
    round, so until it has caught up the time is a tick after the latest entry.
    """
    columns = [f"(select max({name}) from audit.{t})" for t in _TIMES for name in _TIMES[t]]
    row = con.execute(f"select greatest({', '.join(columns)})").fetchone()
    latest = row[0] if row else None
    clock = datetime.now(UTC).replace(tzinfo=None)
    return clock if latest is None or clock > latest else latest + _TICK


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of the ledger."""
    con.execute(_DDL)


@dataclass(frozen=True)
class FileEntry:
    """One raw file of a release, as the ledger knows it."""

    file_name: str
    sha256: str
    bytes: int
    rows_read: int
    rows_kept: int
    status: str
    reason: str | None
    loaded_at: datetime
    modified_at: datetime


_FILE_COLUMNS = (
    "file_name, sha256, bytes, rows_read, rows_kept, status, reason, loaded_at, modified_at"
)


def file_entries(
    con: duckdb.DuckDBPyConnection, source: str, release: date
) -> dict[str, list[FileEntry]]:
    """Return a release's entries by status."""
    rows = con.execute(
        f"select {_FILE_COLUMNS} from audit.releases"
        " where source = ? and release_date = ? order by file_name",
        [source, release],
    ).fetchall()
    entries: dict[str, list[FileEntry]] = {}
    for row in rows:
        entry = FileEntry(*row)
        entries.setdefault(entry.status, []).append(entry)
    return entries


def all_file_entries(
    con: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, date], dict[str, list[FileEntry]]]:
    """Return every release's entries by status, in one query however many there are."""
    rows = con.execute(
        f"select source, release_date, {_FILE_COLUMNS} from audit.releases order by file_name"
    ).fetchall()
    entries: dict[tuple[str, date], dict[str, list[FileEntry]]] = {}
    for source, release, *columns in rows:
        entry = FileEntry(*columns)
        entries.setdefault((source, release), {}).setdefault(entry.status, []).append(entry)
    return entries


def note_modified(
    con: duckdb.DuckDBPyConnection, files: Iterable[tuple[str, date, str, str, datetime]]
) -> None:
    """Enter new times of files (source, release, name, SHA-256, time) whose bytes are known.

    So that their bytes need not be read again to see that they have not changed.
    """
    for *file, modified_at in files:
        con.execute(
            "update audit.releases set modified_at = ?"
            " where source = ? and release_date = ? and file_name = ? and sha256 = ?",
            [modified_at, *file],
        )


def enter_files(
    con: duckdb.DuckDBPyConnection, source: str, release: date, files: Iterable[FileEntry]
) -> None:
    """Enter files, and drop the release's earlier entries that never came into force."""
    con.execute(
        "delete from audit.releases where source = ? and release_date = ?"
        " and status in ('loaded', 'rejected')",
        [source, release],
    )
    for file in files:
        con.execute(
            f"insert into audit.releases (source, release_date, {_FILE_COLUMNS})"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [source, release, *vars(file).values()],
        )


def decide(
    con: duckdb.DuckDBPyConnection,
    source: str,
    release: date,
    loaded_at: datetime,
    status: str,
    reason: str | None,
) -> None:
    """Accept one load of a release, in place of any accepted before, or reject it.

    Without a reason, what the load noted on each file stays.
    """
    if status == "accepted":
        con.execute(
            "update audit.releases set status = 'superseded' where source = ?"
            " and release_date = ? and status = 'accepted' and loaded_at <> ?",
            [source, release, loaded_at],
        )
    con.execute(
        "update audit.releases set status = ?, reason = coalesce(?, reason)"
        " where source = ? and release_date = ? and loaded_at = ?",
        [status, reason, source, release, loaded_at],
    )


def enter_decision(
    con: duckdb.DuckDBPyConnection, decision: str, subject: str, reason: str
) -> None:
    """Enter what a person decided on a release or a publication, and why. Raises BadInput."""
    if not reason.strip():
        raise BadInput(
            "a decision without a reason",
            where=f"{decision} {subject}",
            expected="the reason, in words that the next person on duty understands",
            found="none",
            fix='say it: REASON="..." with make, `reason` in the UI',
        )
    con.execute(
        "insert into audit.decisions values (?, ?, ?, ?)", [now(con), decision, subject, reason]
    )


def accepted_files(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    """Return source, release, file name, SHA-256 and time of loading of every accepted file."""
    return con.execute(
        "select source, release_date, file_name, sha256, loaded_at from audit.releases"
        " where status = 'accepted' order by all"
    ).fetchall()


def current_before(
    con: duckdb.DuckDBPyConnection, source: str, release: date, loaded_at: datetime
) -> tuple[date, datetime] | None:
    """Return the date and the time of loading of the accepted release before a load of another.

    That is an earlier load of the same date, where the release is loaded again; never the load
    itself, which is looked at again where it is in force.
    """
    return con.execute(
        "select release_date, loaded_at from audit.releases where source = ?"
        " and release_date <= ? and loaded_at <> ? and status = 'accepted'"
        " order by all desc limit 1",
        [source, release, loaded_at],
    ).fetchone()


@dataclass(frozen=True)
class GateResult:
    """What one suite found on one table (and, for raw tables, on one release)."""

    gate: str
    table_name: str
    release_date: date | None
    success: bool
    expectations: int
    failed: int
    details: Sequence[dict]


def enter_gate_results(
    con: duckdb.DuckDBPyConnection,
    results: Iterable[GateResult],
    run_id: str,
    candidate_id: str | None = None,
) -> None:
    """Enter gate results, for a candidate where they are about one."""
    checked_at = now(con)
    for result in results:
        con.execute(
            "insert into audit.gate_results values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            ],
        )


def last_gate_results(
    con: duckdb.DuckDBPyConnection, tables: Sequence[str], release: date
) -> list[GateResult]:
    """Return what the gate last found on a release in each of some tables (`<schema>.<table>`)."""
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


@dataclass(frozen=True)
class TestResult:
    """What a data test found. run_id: the run that ran it, which may be an earlier one."""

    __test__ = False  # for pytest

    test: str
    test_name: str
    run_id: str
    success: bool
    message: str | None = None


def enter_test_results(
    con: duckdb.DuckDBPyConnection, candidate_id: str, layer: str, results: Iterable[TestResult]
) -> None:
    """Enter what the data tests of a layer found, each by dbt's unique id."""
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
            now(con),
        ],
    )


def start_candidate(con: duckdb.DuckDBPyConnection, run_id: str, fingerprint: str) -> str:
    """Enter a new candidate and return its id, which sorts by time."""
    started = now(con)
    candidate_id = f"{started:%Y%m%dT%H%M%S}-{run_id[:8]}"
    con.execute(
        "insert into audit.candidates values (?, ?, ?, ?)",
        [candidate_id, run_id, fingerprint, started],
    )
    return candidate_id


def current_candidate(con: duckdb.DuckDBPyConnection) -> tuple[str, str] | None:
    """Return id and fingerprint of the candidate started last, or None."""
    return con.execute(
        "select candidate_id, fingerprint from audit.candidates order by started_at desc limit 1"
    ).fetchone()


def enter_materializations(
    con: duckdb.DuckDBPyConnection,
    candidate_id: str,
    layer: str,
    tables: Iterable[str],
    run_id: str,
) -> None:
    """Enter that tables of a layer were built anew: gates passed before say nothing of them."""
    materialized_at = now(con)
    for table in tables:
        con.execute(
            "insert into audit.materializations values (?, ?, ?, ?, ?)",
            [candidate_id, layer, table, run_id, materialized_at],
        )


def start_layer(
    con: duckdb.DuckDBPyConnection,
    candidate_id: str,
    layer: str,
    tables: Iterable[str],
    run_id: str,
) -> None:
    """Enter that a layer is being built: from here on its former success and gates are void."""
    con.execute(
        "insert into audit.layer_builds values (?, ?, ?, ?, null)",
        [candidate_id, layer, run_id, now(con)],
    )
    enter_materializations(con, candidate_id, layer, tables, run_id)


def finish_layer(
    con: duckdb.DuckDBPyConnection, candidate_id: str, layer: str, run_id: str
) -> None:
    """Enter that a whole layer was built, and that its models and data tests succeeded."""
    con.execute(
        "update audit.layer_builds set finished_at = ?"
        " where candidate_id = ? and layer = ? and run_id = ?",
        [now(con), candidate_id, layer, run_id],
    )


def node_builds(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """Return, by dbt's unique id, what a node was made from (a digest), and in which run."""
    rows = con.execute("select node, made_from, run_id from audit.node_builds").fetchall()
    return {node: (made_from, run_id) for node, made_from, run_id in rows}


def forget_node_builds(con: duckdb.DuckDBPyConnection, nodes: Iterable[str]) -> None:
    """Enter that nodes are about to run: until they have, nobody knows what they hold."""
    con.execute("delete from audit.node_builds where node in (select unnest(?))", [list(nodes)])


def enter_node_builds(
    con: duckdb.DuckDBPyConnection, made_from: Mapping[str, str], run_id: str
) -> None:
    """Enter what nodes were made from, which have run and succeeded."""
    forget_node_builds(con, made_from)
    con.execute(
        "insert into audit.node_builds select unnest(?), unnest(?), ?",
        [list(made_from), list(made_from.values()), run_id],
    )


def unfinished_layers(con: duckdb.DuckDBPyConnection, candidate_id: str) -> list[str]:
    """Return the layers of a candidate whose last build did not end whole and well."""
    rows = con.execute(
        "select layer from audit.layer_builds where candidate_id = ? group by layer"
        " having arg_max(coalesce(finished_at, timestamp '1970-01-01'), started_at)"
        " = timestamp '1970-01-01' order by layer",
        [candidate_id],
    ).fetchall()
    return [layer for (layer,) in rows]


def last_publication(con: duckdb.DuckDBPyConnection) -> tuple[str, str] | None:
    """Return id and fingerprint of the newest publication, or None."""
    return con.execute(
        "select publication_id, fingerprint from audit.publication"
        " order by published_at desc limit 1"
    ).fetchone()
