"""Reads a release's files in a child process, into files of their rows.

The readers are native code that a file can make abort, hang or fill memory. All files of a release
are read by one child, which writes the rows to a file each; the caller copies them into the raw
tables. The child then reads the next release, unless it has refused this one: a fresh child for
each would cost 0.35 s of processor time, five times as much as reading a small file. Of a bulk CSV
the child filters and checks the lines, and the caller has DuckDB parse them: they are as simple as
CSV can be, and writing and reading 1.5 million rows twice took a third of the load.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import duckdb

from dagster_project.base.child import Child, ChildDied, ChildLimits, Report
from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import MachineError, machine_error
from dagster_project.base.progress import Progress, ProgressReport
from dagster_project.base.sql import literal
from dagster_project.ingest.release_files import PrivateFile
from dagster_project.layouts import CsvLayout, RawTable, ZipLayout, csv_layout, layout_of
from dagster_project.layouts.csv_file import unreadable
from dagster_project.layouts.zip_layout import unpacked_once
from dagster_project.sources.source import Source

_POLL_SECONDS = 0.01
_REPORT_SHARE = 0.01


@dataclass(frozen=True)
class FileRead:
    """A file that was read: its table, records, rows and notes.

    rows_kept: None if the copied rows are counted. layout, columns: of checked lines, to be parsed:
    the number of the source's layout, and the names of the columns.
    problem: why a file that only describes the data could not be read; then there are no rows.
    """

    table: str = ""
    rows_read: int = 0
    rows_kept: int | None = None
    layout: int | None = None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0
    problem: str | None = None


@dataclass(frozen=True)
class _Request:
    source: Source
    paths: tuple[str, ...]
    folder: str
    duckdb_config: dict[str, Any]
    bulk_bytes: int


def rows_query(source: Source, read: FileRead, number: int, folder: Path) -> str:
    """Return the query of a file's rows, which `read_release` has written to a folder."""
    path = _rows_file(folder, number)
    if read.layout is None:
        return f"from read_parquet({literal(str(path))})"
    layout = source.layouts[read.layout]
    inner = layout.inner if isinstance(layout, ZipLayout) else layout
    assert isinstance(inner, CsvLayout)
    return inner.query_of_lines(path, read.columns)


def _rows_file(folder: Path, number: int) -> Path:
    return folder / f"rows-{number}"


def read_release(
    reader: Child,
    source: Source,
    label: str,
    files: Sequence[PrivateFile],
    folder: Path,
    limits: ChildLimits,
    duckdb_config: dict[str, Any],
    report: ProgressReport,
) -> list[FileRead]:
    """Read a release's files, in their order. label: the release's name in messages.

    A release that fails in a process that has read others is read again, in a fresh one, before
    that is held against it; not one that has taken too long. Raises BadInput for a file that cannot
    be read, or that ends the child; MachineError for an error of the machine.
    """
    request = _Request(
        replace(source, packaged=None),
        tuple(str(file.path) for file in files),
        str(folder),
        {**duckdb_config, "temp_directory": str(folder)},
        csv_layout.BULK_BYTES,
    )
    once = partial(_read_once, reader, request, label, files, limits, report)
    had_worked = reader.has_worked
    try:
        return once()
    except MachineError:
        raise
    except BadInput as problem:
        is_late = isinstance(problem.__cause__, ChildDied) and problem.__cause__.is_late
        if not had_worked or is_late or any(file.descriptor is not None for file in files):
            raise
    reader.close()
    return once()


def _read_once(
    reader: Child,
    request: _Request,
    label: str,
    files: Sequence[PrivateFile],
    limits: ChildLimits,
    report: ProgressReport,
) -> list[FileRead]:
    found: list[FileRead] = []
    with _FollowedFiles(label, files, report) as progress:

        def hear(said: dict[str, Any]) -> None:
            match said:
                case {"share": share}:
                    progress[-1].reach(share)
                case {"read": facts}:
                    lists = {name: tuple(facts.get(name, ())) for name in ("notes", "columns")}
                    found.append(FileRead(**{**facts, **lists}))
                    progress.next()
                case {"refused": parts}:
                    raise BadInput(**parts)
                case {"machine": parts}:
                    raise MachineError(**parts)

        try:
            reader.run(
                _read_files,
                request,
                folder=Path(request.folder),
                limits=limits,
                report=hear,
                keep_open=[file.descriptor for file in files if file.descriptor is not None],
            )
        except ChildDied as death:
            raise _deadly(files[min(len(found), len(files) - 1)].name, limits, death) from death
    return found


class _FollowedFiles(list[Progress]):
    """The progress of each file in turn; the last one is the file being read."""

    def __init__(self, label: str, files: Sequence[PrivateFile], report: ProgressReport) -> None:
        super().__init__()
        self._label, self._files, self._report = label, files, report
        self._open: Any = None

    def __enter__(self) -> "_FollowedFiles":
        self.next()
        return self

    def next(self) -> None:
        """Follow the next file, if there is one."""
        self.__exit__()
        if len(self) < len(self._files):
            file = self._files[len(self)]
            what = f"{self._label}, {file.name}"
            self._open = self._report.follow(what, "B", file.stat.st_size)
            self.append(self._open.__enter__())

    def __exit__(self, *_: object) -> None:
        if self._open:
            self._open.__exit__(None, None, None)
        self._open = None


def _deadly(name: str, limits: ChildLimits, death: ChildDied) -> BadInput:
    return BadInput(
        "a file that ends the process which reads it",
        where=name,
        expected=f"a file that can be read with {limits.memory:,} bytes of memory in"
        f" {limits.seconds:g} seconds",
        found=str(death),
        fix="fetch the file again; if it is what the publisher serves, raise"
        " ROYALTY_READER_MEMORY or ROYALTY_READER_SECONDS",
    )


def _out_of_memory(name: str) -> BadInput:
    return BadInput(
        "a file that needs too much memory",
        where=name,
        expected="a file that can be read within ROYALTY_READER_MEMORY",
        found="no more memory",
        fix="fetch the file again; if it is what the publisher serves, raise ROYALTY_READER_MEMORY",
    )


# The child's side


def _read_files(request: _Request, report: Report) -> None:
    """Read the files one by one, and report on each; stop at the first that cannot be read."""
    csv_layout.BULK_BYTES = request.bulk_bytes
    folder = Path(request.folder)
    with duckdb.connect(config=request.duckdb_config) as con, unpacked_once():
        for number, path in enumerate(map(Path, request.paths)):
            began = time.perf_counter()
            try:
                try:
                    with _as_bad_input(path):
                        rows = _rows_file(folder, number)
                        facts = _read_file(con, request.source, path, rows, report)
                except BadInput as problem:
                    with _as_bad_input(path):
                        only_describes = request.source.is_companion(path)
                    if not only_describes or isinstance(problem, MachineError):
                        raise
                    facts = {"problem": str(problem)}
            except MachineError as problem:
                report({"machine": vars(problem)})
                return
            except BadInput as problem:
                report({"refused": vars(problem)})
                return
            report({"read": {**facts, "seconds": time.perf_counter() - began}})


def _read_file(
    con: duckdb.DuckDBPyConnection, source: Source, path: Path, target: Path, report: Report
) -> dict[str, Any]:
    """Write one file's rows to another, and return the parts of `FileRead`. Raises BadInput."""
    progress = Progress(path.name, "B", 1)

    def reach(share: float) -> None:
        if share - progress.done >= _REPORT_SHARE:
            report({"share": share})
        progress.reach(share)

    with _polled(progress, reach):
        con.execute("drop table if exists incoming")
        layout = layout_of(path, source.layouts)
        extract = layout.read(con, path, reach)
        if extract.rows_read == 0:
            raise BadInput(
                "a file without records",
                where=path.name,
                expected=f"records below the header of the {layout.name}",
                found="none",
                fix="fetch the file again",
            )
        facts = {
            "table": layout.table.name,
            "rows_read": extract.rows_read,
            "rows_kept": extract.rows_kept,
            "notes": extract.notes,
        }
        with closing(extract):
            if extract.lines:
                extract.lines.replace(target)
                number = source.layouts.index(layout)
                return {**facts, "layout": number, "columns": extract.columns_of_lines}
            rows = extract.rows  # noqa: F841 - DuckDB finds the relation by this name
            columns = (*layout.table.data_columns, "_sheet", "_row")
            data = ", ".join(f'"{column}"' for column in columns)
            copy = f"copy (select {data} from rows) to {literal(str(target))} (format parquet)"
            with _records_read(con, path, progress) as scanned:
                con.execute(copy)
        con.execute("drop table if exists incoming")
    if layout.table.key:
        _refuse_rows_without_their_key(con, layout.table, path.name, target)
    if extract.rows_read is None:
        facts["rows_read"] = scanned[0]
    return facts


def _refuse_rows_without_their_key(
    con: duckdb.DuckDBPyConnection, table: RawTable, name: str, rows: Path
) -> None:
    """Raise BadInput if rows repeat a key, also one of an earlier file, or lack one."""
    key = ", ".join(f'"{column}"' for column in table.key)
    found = f"(select {key}, _row from read_parquet({literal(str(rows))}))"
    seen = f'"keys of {table.name}"'
    con.execute(f"create table if not exists {seen} as from {found} limit 0")
    wrong = con.execute(
        f"""
        select _row, concat_ws(', ', {key})
        from (select *, count(*) over (partition by {key}) as times from {found})
        where times > 1 or concat({key}) = '' or ({key}) in (select ({key}) from {seen})
        order by _row
        """
    ).fetchall()
    if wrong:
        raise BadInput(
            "rows with a repeated or missing key",
            where=f"{name}, row {wrong[0][0]}",
            expected=f"one row per {', '.join(table.key)}",
            found=f"{len(wrong):,} other rows, the first: {wrong[0][1]!r}",
            fix="fetch the file again, and keep only one copy",
        )
    con.execute(f"insert into {seen} from {found}")


@contextmanager
def _polled(progress: Progress, reach: Callable[[float], None]) -> Iterator[None]:
    """Ask DuckDB, while the block runs, for the share of a file that it has read."""
    ended = threading.Event()

    def poll() -> None:
        while not ended.wait(_POLL_SECONDS):
            if progress.poll:
                reach(progress.poll())

    poller = threading.Thread(target=poll, daemon=True)
    poller.start()
    try:
        yield
    finally:
        ended.set()
        poller.join()


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
    except duckdb.InvalidInputException as error:
        raise unreadable(path, error) from error
    finally:
        progress.poll = None
    profile = json.loads(con.get_profiling_information())
    scanned.append(_csv_records(profile))
    for setting in (
        "enable_profiling",
        "enable_progress_bar",
        "enable_progress_bar_print",
        "preserve_insertion_order",
    ):
        con.execute(f"reset {setting}")


def _csv_records(operator: dict[str, Any]) -> int:
    own = operator["operator_cardinality"] if operator.get("operator_name") == "READ_CSV" else 0
    return own + sum(_csv_records(child) for child in operator.get("children", []))


@contextmanager
def _as_bad_input(path: Path) -> Iterator[None]:
    """Turn any reader's error into BadInput: one file must not stop the others.

    Errors of the machine become MachineError, except that of memory: a limit of this process. A
    panic of the workbook reader is not an `Exception`; it is recognized by its name.
    """
    try:
        yield
    except BadInput:
        raise
    except MemoryError as error:
        raise _out_of_memory(path.name) from error
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if problem := machine_error(error, path.name):
            raise problem from error
        _refuse(path, error)


def _refuse(path: Path, error: BaseException) -> NoReturn:
    raise BadInput(
        "a file that cannot be read",
        where=path.name,
        expected="a file that fits one of the source's layouts",
        found=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
        fix="fetch the file again; if the publisher serves it so, correct the source's module",
    ) from error
