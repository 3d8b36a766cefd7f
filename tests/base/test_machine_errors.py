import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import (
    MachineError,
    machine_error,
    machine_error_behind,
    machine_error_named,
)

WORDS = (
    "No space left on device",
    "Permission denied",
    "Read-only file system",
    "Could not set lock on file",
    "Out of Memory Error",
    "not a valid DuckDB database file",
    "database or disk is full",
)


def not_a_database(path: Path) -> None:
    path.write_bytes(b"made up" * 1000)
    duckdb.connect(path)


def a_truncated_database(path: Path) -> None:
    with duckdb.connect(path) as con:
        con.execute("create table t as from range(1000000)")
    path.write_bytes(path.read_bytes()[:300_000])
    with duckdb.connect(path) as con:
        con.execute("select sum(range) from t").fetchall()


def too_little_memory(path: Path) -> None:
    with duckdb.connect(path, config={"memory_limit": "1MB", "temp_directory": ""}) as con:
        con.execute("select range from range(10000000) order by random()").fetchall()


def full_device(path: Path) -> None:
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"1")


def full_device_of_duckdb(path: Path) -> None:
    duckdb.sql("copy (from range(1000000)) to '/dev/full'")


def read_only_sqlite(path: Path) -> None:
    sqlite3.connect(path).executescript("create table t (a)")
    sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("insert into t values (1)")


def no_room_beside_sqlite(path: Path) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    raise error


def too_many_files(path: Path) -> None:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def no_memory(path: Path) -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("failing", "what"),
    [
        (not_a_database, "a damaged database file"),
        (a_truncated_database, "a damaged database file"),
        (too_little_memory, "not enough memory"),
        (full_device, "the disk is full"),
        (full_device_of_duckdb, "the disk is full"),
        (no_room_beside_sqlite, "the disk is full"),
        (read_only_sqlite, "a file or folder that may not be written to"),
        (too_many_files, "too many open files or processes"),
        (no_memory, "not enough memory"),
    ],
)
def test_a_machine_error_is_recognized_by_its_type_and_number(
    tmp_path: Path, failing: Callable[[Path], None], what: str
) -> None:
    with pytest.raises((OSError, duckdb.Error, sqlite3.OperationalError, MemoryError)) as caught:
        failing(tmp_path / "file")
    problem = machine_error_behind(caught.value)
    assert problem
    assert problem.what == what


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_denied_permission_is_the_machines(number: int) -> None:
    problem = machine_error(OSError(number, os.strerror(number), "/made/up"))
    assert problem
    assert problem.what == "a file or folder that may not be written to"


def test_a_locked_file_is_the_machines() -> None:
    problem = machine_error(duckdb.IOException('IO Error: Could not set lock on file "a": held'))
    assert problem
    assert problem.what == "a file that another process has open"


def test_a_machine_error_is_found_behind_the_error_raised_from_it() -> None:
    try:
        try:
            raise OSError(28, "No space left on device", "/made/up")
        except OSError as error:
            raise RuntimeError("a step failed") from error
    except RuntimeError as error:
        problem = machine_error_behind(error)
    assert problem
    assert "/made/up" in problem.found


def test_a_verdict_is_not_the_machines_whatever_it_was_raised_from() -> None:
    verdict = BadInput("a", where="b", expected="c", found="d", fix="e")
    verdict.__cause__ = PermissionError(13, "Permission denied")
    assert machine_error_behind(verdict) is None


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(
    "kind",
    [
        ValueError,
        RuntimeError,
        OSError,
        FileNotFoundError,
        duckdb.ConversionException,
        duckdb.InvalidInputException,
        duckdb.BinderException,
        sqlite3.DataError,
    ],
)
def test_words_are_no_evidence(kind: type[Exception], words: str) -> None:
    for text in (words, f"the file '{words}.json'", f"IO Error: {words}", f"a\n{words}\nb"):
        assert machine_error_behind(kind(text)) is None


@pytest.mark.parametrize("words", WORDS)
def test_the_name_of_a_file_does_not_choose_the_advice(words: str) -> None:
    error = duckdb.IOException(f'IO Error: Could not write file "/a/{words}": Input/output error')
    problem = machine_error(error)
    assert problem
    assert problem.what == "a disk that cannot be read or written"


def test_an_error_whose_type_and_text_were_kept_is_recognized() -> None:
    problem = machine_error_named("PermissionError", "[Errno 13] Permission denied: 'a'", 13)
    assert problem
    assert MachineError.of_text(str(problem)) is not None
    assert str(MachineError.of_text(str(problem))) == str(problem)
    assert machine_error_named("ConversionException", "Permission denied", None) is None
