"""From candidate to published file.

The ledger decides, not the run: every table of the candidate must have passed its gate, and every
data test must have passed, after it and everything it may be built on was last built. Then the
candidate gets its copy of the ledger, is closed and synced, and is renamed to a kept publication:
from there on it is a publication, and `reconcile` finishes what a crash leaves undone. A second
name of it is moved over the published file. Readers that have the old file open keep it; on
Windows, where an open file cannot be replaced, they must let go first. The downloads are written
before and follow the published file.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.ingest.load_release import drop_superseded_rows
from dagster_project.publication.exports import (
    Keys,
    activate_exports,
    prune_exports,
    write_exports,
)
from dagster_project.publication.integrity import checksums
from dagster_project.transform.build_fingerprint import build_fingerprint
from dagster_project.workbench.builds import current_candidate, unfinished_layers
from dagster_project.workbench.connection import literal, open_workbench, transaction
from dagster_project.workbench.ledger_schema import ledger_time

# Description, and those of the columns, of each ledger table.
Comments = Mapping[str, tuple[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Required:
    """What must have passed for a candidate: `<schema>.<table>`, or a data test, with its layer.

    In the order in which the layers are built: what passed is void once an earlier one, or its own,
    is built again. Data tests are named by dbt's unique id.
    """

    tables: Mapping[str, str]
    tests: Mapping[str, str]


@dataclass(frozen=True)
class Publication:
    """What was published."""

    publication_id: str
    published_at: datetime
    gates: int
    bytes: int
    tables: int
    rows: int


def ledger_blockers(
    con: duckdb.DuckDBPyConnection, candidate_id: str, fingerprint: str, required: Required
) -> list[str]:
    """Say what keeps a candidate from being published, by the ledger; an empty list if nothing.

    fingerprint: the state that the candidate was started from.
    """
    built = dict(
        con.execute(
            "select table_name, max(materialized_at) from audit.materializations"
            " where candidate_id = ? group by table_name",
            [candidate_id],
        ).fetchall()
    )
    last_built = _last_built(required, built)
    reasons = [
        f"the layer {layer} was not built whole, or one of its models or data tests failed"
        for layer in unfinished_layers(con, candidate_id)
    ]
    if build_fingerprint(con) != fingerprint:
        reasons.append("releases, models or gates have changed since the candidate was started")
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
                f"{table} or what it is built on was built again after its gate had passed"
            )
    return reasons + _tests_not_passed(con, candidate_id, required, last_built)


def _last_built(required: Required, built: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return when each layer, or one before it, was last built."""
    last, latest = {}, datetime.min
    for layer in dict.fromkeys(required.tables.values()):
        tables = [table for table, of in required.tables.items() if of == layer]
        latest = max([latest, *(built[table] for table in tables if table in built)])
        last[layer] = latest
    return last


def _verdicts(
    con: duckdb.DuckDBPyConnection, candidate_id: str, results: str, name: str
) -> dict[str, tuple[bool, datetime]]:
    """Return by name whether a candidate's gates or data tests passed last, and when that was."""
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
    required: Required,
    last_built: Mapping[str, datetime],
) -> list[str]:
    """Say which data tests failed, or were not run, for this candidate as it was last built."""
    found = _verdicts(con, candidate_id, "test_results", "test")
    failed, not_run = [], []
    for test, layer in required.tests.items():
        success, checked_at = found.get(test, (True, datetime.min))
        if not success:
            failed.append(test.split(".")[2])
        elif test not in found or checked_at < last_built[layer]:
            not_run.append(test.split(".")[2])
    return [
        f"{len(tests)} data tests {what}: {', '.join(tests)}"
        for what, tests in (("failed", failed), ("were not run on this candidate", not_run))
        if tests
    ]


def publication_blockers(
    settings: Settings, con: duckdb.DuckDBPyConnection, required: Required
) -> list[str]:
    """Say what keeps the present candidate from being published, by its file and the ledger."""
    candidate = current_candidate(con)
    reasons = _candidate_reasons(settings, candidate)
    if candidate and not reasons:
        reasons = ledger_blockers(con, *candidate, required)
    return reasons


def publish(
    settings: Settings,
    run_id: str,
    required: Required,
    comments: Comments,
    keys: Keys,
) -> Publication:
    """Publish the candidate. Raises BadInput, and touches nothing, if the ledger does not allow it.

    comments: for the ledger tables that the published file holds.
    keys: of the tables that can be downloaded.
    """
    with open_workbench(settings) as con:
        candidate = current_candidate(con)
        reasons = publication_blockers(settings, con, required)
        if not candidate or reasons:
            raise BadInput(
                "the candidate is not published",
                where=candidate[0] if candidate else str(settings.candidate),
                expected=f"{len(required.tables)} tables built, their gates and"
                f" {len(required.tests)} data tests passed, for this candidate",
                found="; ".join(reasons),
                fix="mend the cause, then run the job `build` (or `make run`)",
            )
        candidate_id, fingerprint = candidate
        published_at = ledger_time(con)
        publication_id = f"{published_at:%Y%m%dT%H%M%S%f}"[:-3]
        row = [publication_id, published_at, run_id, duckdb.__version__, candidate_id, fingerprint]
    _complete(settings, row, comments)
    if settings.downloads:
        write_exports(settings, settings.candidate, publication_id, keys)
    kept = settings.publications / f"royalty_flows-{publication_id}.duckdb"
    kept.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    settings.candidate.rename(kept)
    activate(settings, kept)
    reconcile(settings)
    with open_workbench(settings) as con:
        drop_superseded_rows(con)
    for old in old_publications(settings):
        old.unlink()
    prune_exports(settings, {kept_id(kept) for kept in kept_publications(settings)})
    return what_was_published(kept, len(required.tables))


def what_was_published(kept: Path, gates: int) -> Publication:
    """Say what a kept publication holds; its table of checksums, which says it of the others, too.

    Raises BadInput if it cannot be read.
    """
    identity, published_at, *_ = publications_in(kept)[-1]
    with duckdb.connect(kept, read_only=True) as con:
        others, rows = con.execute(
            "select count(*), sum(row_count)::bigint from audit.checksums"
        ).fetchall()[0]
    size = kept.stat().st_size
    return Publication(identity, published_at, gates, size, others + 1, rows + others)


def activate(settings: Settings, kept: Path) -> None:
    """Make a kept publication the published file: a second name for it, moved over the old one.

    Its downloads follow it.
    """
    kept.chmod(0o444)  # a client that forgets to ask for read-only cannot change it
    fresh = settings.warehouse.with_suffix(".duckdb.new")
    fresh.unlink(missing_ok=True)
    os.link(kept, fresh)
    os.replace(fresh, settings.warehouse)
    activate_exports(settings, kept_id(kept))
    sync(settings.publications)
    sync(settings.warehouse_dir)


def reconcile(settings: Settings) -> Path | None:
    """Finish the publication that a crash broke off, if one did, and return its kept file.

    The kept file that the ledger knows nothing of, of the candidate that it knows last, is put in
    force; then the ledger gets what the published file says of itself, and the
    downloads follow it.
    """
    finished = None
    with open_workbench(settings) as con:
        known = {
            row[0] for row in con.execute("select publication_id from audit.publication").fetchall()
        }
        candidate = current_candidate(con)
        for kept in kept_publications(settings)[:1]:
            broken_off = kept_id(kept) not in {*known, publication_id(settings)}
            if broken_off and candidate and publications_in(kept)[-1][4] == candidate[0]:
                activate(settings, kept)
                finished = kept
        if in_force := publication_id(settings):
            activate_exports(settings, in_force)
        if settings.warehouse.exists():
            for row in publications_in(settings.warehouse):
                if row[0] not in known:
                    con.execute("insert into audit.publication values (?, ?, ?, ?, ?, ?)", row)
    return finished


def publications_in(path: Path) -> list[tuple]:
    """Return the rows of `audit.publication` in a publication's file; its own is the last.

    Raises BadInput if the file cannot be read.
    """
    try:
        with duckdb.connect(path, read_only=True) as con:
            return con.execute("from audit.publication order by published_at").fetchall()
    except duckdb.Error as error:
        raise BadInput(
            "the published file cannot be read",
            where=str(path),
            expected="a DuckDB file that no other process has open for writing",
            found=str(error).splitlines()[0],
            fix="close the client that has it open for writing. If the file is damaged, put another"
            " publication in force with `make rollback`; if none is kept, delete it and `make run`",
        ) from error


def kept_publications(settings: Settings) -> list[Path]:
    """Return the kept publications, newest first."""
    return sorted(settings.publications.glob("royalty_flows-*.duckdb"), reverse=True)


def old_publications(settings: Settings) -> list[Path]:
    """Return the publications beyond those to be kept; never the one in force."""
    return [
        old
        for old in kept_publications(settings)[settings.keep_publications :]
        if not (settings.warehouse.exists() and old.samefile(settings.warehouse))
    ]


def publication_id(settings: Settings) -> str | None:
    """Return the id of the publication in force; None if there is none, or it cannot be read.

    The published file is a second name of a kept one, so that no file needs to be opened; but not
    in a folder that was copied or restored.
    """
    if not settings.warehouse.exists():
        return None
    for kept in kept_publications(settings):
        if kept.samefile(settings.warehouse):
            return kept_id(kept)
    try:
        return publications_in(settings.warehouse)[-1][0]
    except (BadInput, IndexError):
        return None


def kept_id(kept: Path) -> str:
    """Return the id of a kept publication, which its name holds."""
    return kept.stem.removeprefix("royalty_flows-")


def _candidate_reasons(settings: Settings, candidate: tuple[str, str] | None) -> list[str]:
    if candidate is None:
        return ["no candidate was ever started"]
    if not settings.candidate.exists():
        return ["there is no candidate file: the last one was published, or none was built"]
    try:
        with duckdb.connect(settings.candidate, read_only=True) as con:
            # The stamp of a file that a crash kept from being published is in its own entry.
            tables = {
                name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()
            }
            stamp = con.execute(
                "select candidate_id from audit.candidate"
                if "candidate" in tables
                else "select max_by(candidate_id, published_at) from audit.publication"
            ).fetchall()
    except duckdb.Error as error:
        return [f"the candidate file cannot be read ({str(error).splitlines()[0]})"]
    if stamp != [(candidate[0],)]:
        return [f"the candidate file belongs to {stamp}, not to the candidate started last"]
    return []


# What a user needs to trust a publication. `$candidate` is its id.
_LEDGER_QUERIES = {
    "releases": "select * exclude (modified_at) from workbench.audit.releases"
    " where status <> 'loaded' order by source, release_date, file_name, loaded_at",
    "gate_results": "select * from workbench.audit.gate_results"
    " where candidate_id = $candidate or candidate_id is null order by checked_at, table_name",
    "publication": "select * from workbench.audit.publication order by published_at",
    "decisions": "select * from workbench.audit.decisions order by decided_at",
}


def _complete(settings: Settings, publication: list[Any], comments: Comments) -> None:
    """Write the ledger into the candidate, with its comments; close it, whole and on disk."""
    with duckdb.connect(settings.candidate, config=settings.duckdb_config) as con:
        con.execute(f"attach {literal(str(settings.workbench))} as workbench (read_only)")
        con.execute("set enable_external_access = false")
        with transaction(con):
            for table, template in _LEDGER_QUERIES.items():
                query = template.replace("$candidate", literal(publication[4]))
                con.execute(f"create or replace table audit.{table} as {query}")
                _comment(con, table, comments[table])
            con.execute("insert into audit.publication values (?, ?, ?, ?, ?, ?)", publication)
            con.execute("drop table if exists audit.candidate")
            _enter_checksums(con, comments["checksums"])
        con.execute("detach workbench")
        con.execute("checkpoint")
    sync(settings.candidate)


def _enter_checksums(
    con: duckdb.DuckDBPyConnection, comment: tuple[str, Mapping[str, str]]
) -> None:
    """Write row count and checksum of every table, by which any client can verify what it reads."""
    con.execute("drop table if exists audit.checksums")
    sums = checksums(con)
    con.execute(
        "create table audit.checksums (table_name varchar, row_count bigint, checksum varchar)"
    )
    con.executemany("insert into audit.checksums values (?, ?, ?)", sums)
    _comment(con, "checksums", comment)


def _comment(
    con: duckdb.DuckDBPyConnection, table: str, comment: tuple[str, Mapping[str, str]]
) -> None:
    text, columns = comment
    con.execute(f"comment on table audit.{table} is {literal(text)}")
    for name in con.table(f"audit.{table}").columns:
        con.execute(f'comment on column audit.{table}."{name}" is {literal(columns[name])}')


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on disk before anything else is done."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
