"""Loads one release into the raw tables and the ledger, in one transaction."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.base.child import Child
from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.limits import LIMITS, ReleaseLimits
from dagster_project.base.machine_errors import MachineError
from dagster_project.base.progress import SILENT, ProgressReport
from dagster_project.ingest.raw_rows import count_rows, create_raw_tables, drop_rows_not_current
from dagster_project.ingest.release_files import (
    PrivateFile,
    private_files,
    raw_file_sha256,
    scratch_folder,
)
from dagster_project.ingest.release_reader import FileRead, read_release, rows_query
from dagster_project.layouts import LINEAGE_COLUMNS
from dagster_project.layouts.csv_file import unreadable
from dagster_project.sources.source import Release, Source, recorded_name
from dagster_project.workbench.connection import transaction
from dagster_project.workbench.ledger_schema import ledger_time
from dagster_project.workbench.releases import (
    FileEntry,
    file_entries,
    record_files,
)

CRASHED = "a release with which native code ends the process"


@dataclass
class LoadMetrics:
    """Counts and duration of filling a raw table. Records on other subjects are left out."""

    rows_read: int = 0
    rows_kept: int = 0
    bytes: int = 0
    seconds: float = 0


@dataclass(frozen=True)
class LoadResult:
    """The result of a load: rows by raw table, and the files' entries in the ledger.

    measured: by raw table; empty if nothing was loaded.
    """

    rows: dict[str, int]
    files: tuple[FileEntry, ...]
    unchanged: bool
    measured: dict[str, LoadMetrics] = field(default_factory=dict)


def modified_at(stat: os.stat_result) -> datetime:
    """Return a file's modification time, in UTC without a zone, as the ledger keeps it."""
    return datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None)


def load_release(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    release: Release,
    *,
    reload: bool = False,
    report: ProgressReport = SILENT,
    limits: ReleaseLimits = LIMITS,
    reader: Child | None = None,
) -> LoadResult:
    """Load a release's files with status `loaded`; the gate on raw then accepts or rejects it.

    An accepted release with the same bytes is not loaded. With `reload` it is loaded again, next to
    the current load, which stays current until the gate has passed.

    reader: the process that reads the files, of a caller with several releases.

    Raises BadInput if a file cannot be read (the ledger then says `rejected`, and no row is kept),
    if an accepted release's bytes have changed without `reload`, or if native code has ended a run
    with these files, without `reload`; TryLater if a file is still
    being written; MachineError for an error of the machine.
    """
    entries = file_entries(con, source.name, release.date)
    accepted = {entry.file_name: entry.sha256 for entry in entries.get("accepted", [])}
    if accepted and not reload:
        if accepted != {recorded_name(path): raw_file_sha256(path) for path in release.files}:
            raise changed_bytes(release, accepted)
        rows = {table.name: count_rows(con, table, release) for table in source.tables}
        return LoadResult(rows, tuple(entries["accepted"]), unchanged=True)
    if not reload:
        _refuse_if_it_crashed(release, entries.get("rejected", []))
    create_raw_tables(con, source)
    with (
        scratch_folder(_scratch_home(con)) as folder,
        private_files(release.files, folder / "files") as files,
        nullcontext(reader) if reader else Child() as child,
    ):
        return _load(con, source, release, files, folder, report, limits, child)


def _refuse_if_it_crashed(release: Release, rejected: Sequence[FileEntry]) -> None:
    """Raise BadInput if native code has ended a run with exactly these files."""
    reason = next(filter(None, (entry.reason for entry in rejected)), "")
    if reason.startswith(CRASHED) and {entry.file_name: entry.sha256 for entry in rejected} == {
        recorded_name(path): raw_file_sha256(path) for path in release.files
    }:
        raise BadInput(
            CRASHED,
            where=release.label,
            expected="files that have not ended a run before",
            found="those that the ledger has rejected for this reason",
            fix=f"fetch the release again, or `make run RELOAD={release.name}`",
        )


def reject_release(
    con: duckdb.DuckDBPyConnection, source: Source, release: Release, reason: str
) -> None:
    """Reject a release that cannot be loaded, by its files as they are; keep none of its rows."""
    loaded_at = ledger_time(con)
    rejected = [
        FileEntry(
            recorded_name(path),
            raw_file_sha256(path),
            path.stat().st_size,
            0,
            0,
            "rejected",
            reason,
            loaded_at,
            modified_at(path.stat()),
        )
        for path in release.files
    ]
    create_raw_tables(con, source)
    with transaction(con):
        record_files(con, source.name, release.date, rejected)
        drop_rows_not_current(con, source, release.date)


def _scratch_home(con: duckdb.DuckDBPyConnection) -> Path | None:
    """Return the folder for loads beside the workbench; None for a database in memory."""
    found = con.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchone()
    return Path(found[0]).parent / "incoming" if found and found[0] else None


def _load(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    release: Release,
    files: Sequence[PrivateFile],
    folder: Path,
    report: ProgressReport,
    limits: ReleaseLimits,
    reader: Child,
) -> LoadResult:
    loaded_at = ledger_time(con)
    try:
        found = read_release(
            reader, source, release.label, files, folder, limits.reader, _reader_config(con), report
        )
        for file in files:
            file.raise_if_changed()
        queries = [rows_query(source, read, number, folder) for number, read in enumerate(found)]
        with _bulk_inserts(con), transaction(con):
            drop_rows_not_current(con, source, release.date)
            loaded = _load_files(con, source, release, files, found, queries, loaded_at)
            record_files(con, source.name, release.date, loaded.files)
    except (TryLater, MachineError):
        raise
    except BadInput as problem:
        rejected = [_entry(file, 0, 0, "rejected", str(problem), loaded_at) for file in files]
        with transaction(con):
            record_files(con, source.name, release.date, rejected)
        raise
    return loaded


def _reader_config(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the settings of the reader's own database: as the workbench's."""
    names = ("memory_limit", "threads")
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    found = con.execute(f"select {columns}").fetchall()[0]
    return {
        **dict(zip(names, found, strict=True)),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }


@contextmanager
def _bulk_inserts(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Have DuckDB insert rows in any order, and draw no progress bar of its own."""
    con.execute("set preserve_insertion_order = false")
    con.execute("reset enable_progress_bar")  # on, where DuckDB takes a process for a shell
    try:
        yield
    finally:
        con.execute("reset preserve_insertion_order")


def _load_files(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    release: Release,
    files: Sequence[PrivateFile],
    found: Sequence[FileRead],
    queries: Sequence[str],
    loaded_at: datetime,
) -> LoadResult:
    """Fill the raw tables from a release's files. Raises BadInput if a required one is empty."""
    entries = []
    rows = {table.name: 0 for table in source.tables}
    measured = {table.name: LoadMetrics() for table in source.tables}
    for number, (file, read) in enumerate(zip(files, found, strict=True)):
        if read.problem is not None:
            note = f"not read, but the data files are: {read.problem}"
            entries.append(_entry(file, 0, 0, "loaded", note, loaded_at))
            continue
        began = time.perf_counter()
        path, query = release.files[number], queries[number]
        inserted = _load_file(con, source, release, path, read.table, query, loaded_at)
        kept = inserted if read.rows_kept is None else read.rows_kept
        rows[read.table] += inserted
        took = measured[read.table]
        took.seconds += read.seconds + time.perf_counter() - began
        took.rows_read += read.rows_read
        took.rows_kept += kept
        took.bytes += file.stat.st_size
        noted = "; ".join(read.notes) or None
        entries.append(_entry(file, read.rows_read, kept, "loaded", noted, loaded_at))
    for table in source.required:
        if rows[table.name] == 0:
            raise BadInput(
                "a release without its main table",
                where=release.label,
                expected=f"at least one row of raw.{table.name}",
                found="files " + ", ".join(path.name for path in release.files),
                fix="fetch the whole release again",
            )
    return LoadResult(rows, tuple(entries), unchanged=False, measured=measured)


def _load_file(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    release: Release,
    path: Path,
    table_name: str,
    query: str,
    loaded_at: datetime,
) -> int:
    """Copy one file's rows into its raw table; return their number. Raises BadInput."""
    table = next(table for table in source.tables if table.name == table_name)
    data = ", ".join(f'"{column}"' for column in table.data_columns)
    insert = f"""
        insert into raw."{table.name}" ({data}, {", ".join(LINEAGE_COLUMNS)})
        select {data}, $source, $release, $file, _sheet, _row, $loaded_at from ({query})
    """
    try:
        inserted = con.execute(
            insert,
            {
                "source": source.name,
                "release": release.date,
                "file": recorded_name(path),
                "loaded_at": loaded_at,
            },
        ).fetchall()
    except duckdb.InvalidInputException as error:
        raise unreadable(path, error) from error
    return int(inserted[0][0])


def _entry(
    file: PrivateFile,
    rows_read: int,
    rows_kept: int,
    status: str,
    reason: str | None,
    loaded_at: datetime,
) -> FileEntry:
    return FileEntry(
        file.name,
        file.digest.result(),
        file.stat.st_size,
        rows_read,
        rows_kept,
        status,
        reason,
        loaded_at,
        modified_at(file.stat),
    )


def changed_bytes(release: Release, accepted: Mapping[str, str]) -> BadInput:
    """Return the error for files that differ from the accepted ones of the same release."""
    return BadInput(
        "the files of an accepted release have changed",
        where=release.label,
        expected=", ".join(f"{name} (sha256 {sha[:12]}…)" for name, sha in accepted.items()),
        found=", ".join(
            f"{recorded_name(path)} (sha256 {raw_file_sha256(path)[:12]}…)"
            for path in release.files
        ),
        fix="put a revision into a release folder of its own date; to replace this one, "
        "materialize its partition with `reload: true`, or"
        f" `make run RELOAD={release.source}/{release.date}`",
    )
