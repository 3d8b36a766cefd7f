"""Loads one release into the raw tables and the ledger, in one transaction."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.machine_errors import machine_error
from dagster_project.base.progress import SILENT, Progress, ProgressReport
from dagster_project.ingest.raw_rows import count_rows, create_raw_tables, drop_rows_not_current
from dagster_project.layouts import LINEAGE_COLUMNS, RawTable, layout_of
from dagster_project.layouts.csv_file import unreadable
from dagster_project.layouts.zip_layout import unpacked_once
from dagster_project.sources.source import Release, Source
from dagster_project.workbench.connection import transaction
from dagster_project.workbench.ledger_schema import ledger_time
from dagster_project.workbench.releases import (
    FileEntry,
    file_entries,
    record_files,
)


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
) -> LoadResult:
    """Load a release's files with status `loaded`; the gate on raw then accepts or rejects it.

    An accepted release with the same bytes is not loaded. With `reload` it is loaded again, next to
    the current load, which stays current until the gate has passed.

    Raises BadInput if a file cannot be read (the ledger then says `rejected`, and no row is kept),
    or if an accepted release's bytes have changed without `reload`.
    """
    stats = {path: path.stat() for path in release.files}
    with ThreadPoolExecutor(1) as meanwhile:
        digests = {path: meanwhile.submit(file_sha256, path) for path in release.files}
        entries = file_entries(con, source.name, release.date)
        accepted = {entry.file_name: entry.sha256 for entry in entries.get("accepted", [])}
        if not accepted or reload:
            return _load(con, source, release, stats, digests, report)
        if accepted != {path.name: sha256.result() for path, sha256 in digests.items()}:
            raise changed_bytes(release, accepted)
    rows = {table.name: count_rows(con, table, release) for table in source.tables}
    return LoadResult(rows, tuple(entries["accepted"]), unchanged=True)


@unpacked_once()
def _load(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    release: Release,
    stats: dict[Path, os.stat_result],
    digests: dict[Path, "Future[str]"],
    report: ProgressReport,
) -> LoadResult:
    create_raw_tables(con, source)
    loaded_at = ledger_time(con)
    try:
        companions = dict(_unreadable_companions(source, release))
        with transaction(con):
            drop_rows_not_current(con, source, release.date)
            loaded = _load_files(
                con, source, release, stats, digests, companions, loaded_at, report
            )
            record_files(con, source.name, release.date, loaded.files)
    except BadInput as problem:
        rejected = [
            _entry(path, sha256.result(), 0, 0, "rejected", str(problem), loaded_at)
            for path, sha256 in digests.items()
        ]
        with transaction(con):
            record_files(con, source.name, release.date, rejected)
        raise
    return loaded


def _load_files(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    release: Release,
    stats: dict[Path, os.stat_result],
    digests: dict[Path, "Future[str]"],
    unreadable_companions: dict[Path, str],
    loaded_at: datetime,
    report: ProgressReport,
) -> LoadResult:
    """Fill the raw tables from a release's files. Raises BadInput if a required one is empty."""
    files = []
    rows = {table.name: 0 for table in source.tables}
    measured = {table.name: LoadMetrics() for table in source.tables}
    for path in release.files:
        if path in unreadable_companions:
            sha256 = digests[path].result()
            note = f"not read, but the data files are: {unreadable_companions[path]}"
            files.append(_entry(path, sha256, 0, 0, "loaded", note, loaded_at))
            continue
        began = time.perf_counter()
        table, inserted, read, kept, notes = _load_file(
            con, source, release, path, loaded_at, report
        )
        took = measured[table.name]
        took.seconds += time.perf_counter() - began
        took.rows_read += read
        took.rows_kept += kept
        took.bytes += stats[path].st_size
        rows[table.name] += inserted
        sha256 = digests[path].result()
        _raise_if_changed(path, stats[path])
        noted = "; ".join(notes) or None
        files.append(_entry(path, sha256, read, kept, "loaded", noted, loaded_at))
    for table in source.required:
        if rows[table.name] == 0:
            raise BadInput(
                "a release without its main table",
                where=release.label,
                expected=f"at least one row of raw.{table.name}",
                found="files " + ", ".join(path.name for path in release.files),
                fix="fetch the whole release again",
            )
    return LoadResult(rows, tuple(files), unchanged=False, measured=measured)


def _unreadable_companions(source: Source, release: Release) -> Iterator[tuple[Path, str]]:
    """Yield unreadable files that only describe the data, with the reason.

    They are tried in a separate database: an error would end the release's transaction.
    """
    with duckdb.connect() as scratch:
        scratch.execute("create schema raw")
        create_raw_tables(scratch, source)
        for path in release.files:
            with _as_bad_input(path):
                is_companion = source.is_companion(path)
            if not is_companion:
                continue
            try:
                table = _load_file(scratch, source, release, path, datetime.min)[0]
                _refuse_rows_without_their_key(scratch, table, path)
            except BadInput as problem:
                yield path, str(problem)


def _refuse_rows_without_their_key(
    con: duckdb.DuckDBPyConnection, table: RawTable, path: Path
) -> None:
    """Raise BadInput, and remove the file's rows, if they repeat a key or lack one."""
    if not table.key:
        return
    key = ", ".join(f'"{column}"' for column in table.key)
    wrong = con.execute(
        f"""
        select _row, concat_ws(', ', {key})
        from (select *, count(*) over (partition by {key}) as times from raw."{table.name}")
        where _file = $file and (times > 1 or concat({key}) = '')
        order by _row
        """,
        {"file": path.name},
    ).fetchall()
    if wrong:
        con.execute(f'delete from raw."{table.name}" where _file = ?', [path.name])
        raise BadInput(
            "rows with a repeated or missing key",
            where=f"{path.name}, row {wrong[0][0]}",
            expected=f"one row per {', '.join(table.key)}",
            found=f"{len(wrong):,} other rows, the first: {wrong[0][1]!r}",
            fix="fetch the file again, and keep only one copy",
        )


def _entry(
    path: Path,
    sha256: str,
    rows_read: int,
    rows_kept: int,
    status: str,
    reason: str | None,
    loaded_at: datetime,
) -> FileEntry:
    stat = path.stat()
    return FileEntry(
        path.name,
        sha256,
        stat.st_size,
        rows_read,
        rows_kept,
        status,
        reason,
        loaded_at,
        modified_at(stat),
    )


def changed_bytes(release: Release, accepted: dict[str, str]) -> BadInput:
    """Return the error for files that differ from the accepted ones of the same release."""
    return BadInput(
        "the files of an accepted release have changed",
        where=release.label,
        expected=", ".join(f"{name} (sha256 {sha[:12]}…)" for name, sha in accepted.items()),
        found=", ".join(
            f"{path.name} (sha256 {file_sha256(path)[:12]}…)" for path in release.files
        ),
        fix="put a revision into a release folder of its own date; to replace this one, "
        "materialize its partition with `reload: true`, or"
        f" `make run RELOAD={release.source}/{release.date}`",
    )


def _load_file(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    release: Release,
    path: Path,
    loaded_at: datetime,
    report: ProgressReport = SILENT,
) -> tuple[RawTable, int, int, int, tuple[str, ...]]:
    """Load one file; return its table, rows inserted, records read and kept, and notes."""
    size = path.stat().st_size
    with report.follow(f"{release.label}, {path.name}", "B", size) as progress:
        return _insert(con, source, release, path, loaded_at, progress)


def _insert(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    release: Release,
    path: Path,
    loaded_at: datetime,
    progress: Progress,
) -> tuple[RawTable, int, int, int, tuple[str, ...]]:
    con.execute("drop table if exists incoming")
    with _as_bad_input(path):
        layout = layout_of(path, source.layouts)
        extract = layout.read(con, path, progress.reach)
    if extract.rows_read == 0:
        raise BadInput(
            "a file without records",
            where=path.name,
            expected=f"records below the header of the {layout.name}",
            found="none",
            fix="fetch the file again",
        )
    table = layout.table
    rows = extract.rows  # noqa: F841 - DuckDB finds the relation by this name
    data = ", ".join(f'"{column}"' for column in table.data_columns)
    with closing(extract), _records_read(con, path, progress) as scanned:
        inserted = con.execute(
            f"""
            insert into raw."{table.name}" ({data}, {", ".join(LINEAGE_COLUMNS)})
            select {data}, $source, $release, $file, _sheet, _row, $loaded_at from rows
            """,
            {
                "source": source.name,
                "release": release.date,
                "file": path.name,
                "loaded_at": loaded_at,
            },
        ).fetchall()[0][0]
    con.execute("drop table if exists incoming")
    read = scanned[0] if extract.rows_read is None else extract.rows_read
    kept = inserted if extract.rows_kept is None else extract.rows_kept
    return table, inserted, read, kept, extract.notes


@contextmanager
def _records_read(
    con: duckdb.DuckDBPyConnection, path: Path, progress: Progress
) -> Iterator[list[int]]:
    """Count the records that a CSV reader gives to the block's one statement, before any filter.

    DuckDB's profile of the statement has the number at no cost; a count would read the file twice.
    Rows are inserted in any order: where it matters they have numbers. Raises BadInput if part of
    the file is not CSV.
    """
    con.execute("set preserve_insertion_order = false")
    con.execute("set enable_profiling = 'no_output'")
    con.execute("set enable_progress_bar = true")  # otherwise DuckDB does not track progress
    con.execute("set enable_progress_bar_print = false")
    progress.poll = lambda: con.query_progress() / 100
    scanned: list[int] = []
    try:
        yield scanned
    except duckdb.Error as error:
        if "CSV Error" not in str(error):
            raise
        raise unreadable(path, error) from error
    # After an error the transaction accepts only rollback, and profiling does no harm.
    profile = json.loads(con.get_profiling_information())
    scanned.append(_csv_records(profile))
    con.execute("reset enable_profiling")
    con.execute("reset enable_progress_bar")
    con.execute("reset enable_progress_bar_print")
    con.execute("reset preserve_insertion_order")


def _csv_records(operator: dict[str, Any]) -> int:
    own = operator["operator_cardinality"] if operator.get("operator_name") == "READ_CSV" else 0
    return own + sum(_csv_records(child) for child in operator.get("children", []))


@contextmanager
def _as_bad_input(path: Path) -> Iterator[None]:
    """Turn any reader's error into BadInput: one file must not stop the others.

    Errors of the machine (memory, disk) are raised unchanged. A panic of the workbook reader is not
    an `Exception`; it is recognised by its name.
    """
    try:
        yield
    except (BadInput, MemoryError, OSError, duckdb.OutOfMemoryException):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if machine_error(str(error)):
            raise
        raise BadInput(
            "a file that cannot be read",
            where=path.name,
            expected="a file that fits one of the source's layouts",
            found=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            fix="fetch the file again; if the publisher serves it so, correct the source's module",
        ) from error


def _raise_if_changed(path: Path, before: os.stat_result) -> None:
    """Raise BadInput if a file has changed since `before`: its hash would be wrong."""
    after = path.stat()
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise BadInput(
            "a file that is still being written",
            where=path.name,
            expected=f"the {before.st_size:,} bytes it had when the load began",
            found=f"{after.st_size:,} bytes",
            fix="wait until the file is complete, then run again; move complete files into place",
        )
