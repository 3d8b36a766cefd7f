"""Errors of the machine (disk, memory, permissions, locks) as `BadInput`.

They are recognized by an exception's type and `errno` where it is raised, never by words of its
message: messages quote names and values of files. Such an error never rejects a release.
"""

import errno
import os
import re
import sqlite3
from typing import NamedTuple

from dagster_project.base.errors import BadInput


class _Advice(NamedTuple):
    what: str
    expected: str
    fix: str


_FULL = _Advice(
    "the disk is full",
    "room for the workbench, the candidate and the kept publications",
    "free some space, or keep fewer publications (ROYALTY_KEEP_PUBLICATIONS); then `make run`",
)
_CLOSED = _Advice(
    "a file or folder that may not be written to",
    "ROYALTY_WAREHOUSE_DIR, ROYALTY_CACHE_DIR and DAGSTER_HOME belong to the user who runs this, on"
    " a disk that is mounted for writing; what is read, such as ROYALTY_LANDING_DIR, may be read",
    "correct the owner, or mount the disk for writing, or set the variable of that folder to"
    " another; then `make run`",
)
_LOCKED = _Advice(
    "a file that another process has open",
    "no other process that has the workbench or the candidate open",
    "close the program with that PID; clients should open only the published file",
)
_DAMAGED = _Advice(
    "a damaged database file",
    "the file as DuckDB wrote it",
    "the published file is a different one and stays live. Check the disk, then run"
    " `make rebuild`, which makes a new workbench from the landing folder",
)
_NEWER = _Advice(
    "a database file of a newer version of DuckDB",
    "a file that the installed DuckDB can read",
    "install the version of the project that wrote it, or a later one; or restore the backup of the"
    " warehouse folder that was made before the upgrade (docs/deploying.md)",
)
_MEMORY = _Advice(
    "not enough memory",
    "as much as ROYALTY_DUCKDB_MEMORY_LIMIT allows, or the machine has",
    "raise ROYALTY_DUCKDB_MEMORY_LIMIT, or close other programs; then `make run`",
)
_HANDLES = _Advice(
    "too many open files or processes",
    "fewer than the limits of the user who runs this",
    "raise the limits (`ulimit -n`, `ulimit -u`), or close other programs; then `make run`",
)
_DISK = _Advice(
    "a disk that cannot be read or written",
    "a disk that works",
    "check the disk and the machine's log; then `make run`",
)
_LACKS = _Advice(
    "a file system that lacks what a warehouse needs",
    "locks, renames and flushes of files and folders, in one file system for each of"
    " ROYALTY_WAREHOUSE_DIR, ROYALTY_LANDING_DIR and DAGSTER_HOME",
    "put that folder, with all in it, on a local disk; then `make run`",
)

_POSTGRES = _Advice(
    "Dagster's PostgreSQL database cannot be reached",
    "a running server that lets the user of ROYALTY_DAGSTER_POSTGRES_URL into the database",
    "start the server, or correct the setting; then `make run`. What is published, and the ledger,"
    " are not in that database",
)

_BY_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
    errno.EROFS: _CLOSED,
    errno.EMFILE: _HANDLES,
    errno.ENFILE: _HANDLES,
    errno.EAGAIN: _HANDLES,
    errno.ENOMEM: _MEMORY,
    errno.EIO: _DISK,
    errno.ESTALE: _DISK,
    errno.ENODEV: _DISK,
    errno.ENXIO: _DISK,
    errno.EXDEV: _LACKS,
    errno.ENOLCK: _LACKS,
    errno.ENOSYS: _LACKS,
    errno.ENOTSUP: _LACKS,
    errno.EOPNOTSUPP: _LACKS,
}
_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,  # no room to enlarge the file beside a write-ahead log
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_NOMEM: _MEMORY,
}
_SQLITE_PRIMARY = 0xFF  # extended codes have more bits
_PARTS = re.compile(
    r"(?P<what>.*?) \| where: (?P<where>.*?) \| expected: (?P<expected>.*?) \| found: (?P<found>.*)"
    r" \| what to do: (?P<fix>.*)"
)
_COMMIT = "TransactionContext Error: Failed to commit: Could not "
_OF_SQLITE = ("DatabaseError", "OperationalError", "InternalError")
_OF_POSTGRES = {("psycopg2", "OperationalError"), ("psycopg2", "InterfaceError")}


class MachineError(BadInput):
    """An error of the machine, in the parts of every message."""

    @property
    def may_be_of_one_release(self) -> bool:
        """Whether other releases may load all the same: a single file can take all the memory."""
        return self.what == _MEMORY.what

    @classmethod
    def of_text(cls, text: str) -> "MachineError | None":
        """Return the error whose text was kept; None if the text is not such an error's."""
        parts = _PARTS.fullmatch(text.strip())
        return cls(**parts.groupdict()) if parts else None


def machine_error(error: BaseException, where: str = "named under `found`") -> MachineError | None:
    """Return the error to report for an exception, or None if the machine is not its cause."""
    kind, text = type(error).__name__, str(error)
    if any((base.__module__, base.__name__) in _OF_POSTGRES for base in type(error).__mro__):
        return _reported(_POSTGRES, kind, text, where)
    return machine_error_named(kind, text, _number(error), where)


def raise_if_machine_error(error: BaseException) -> None:
    """Raise an error again that is the machine's: where a reader's errors mean an unfit file."""
    if machine_error(error):
        raise error


def machine_error_behind(
    error: BaseException | None, where: str = "named under `found`"
) -> MachineError | None:
    """Return the machine error behind an exception or one of its causes, if there is one.

    Other bad input is a verdict, whatever it was raised from.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MachineError):
            return error
        if isinstance(error, BadInput):
            return None
        if found := machine_error(error, where):
            return found
        # SQLAlchemy keeps the database's own error in `orig`.
        error = error.__cause__ or getattr(error, "orig", None) or error.__context__
    return None


def machine_error_named(
    kind: str, text: str, number: int | None, where: str = "named under `found`"
) -> MachineError | None:
    """Return the machine error for an exception whose type's name, text and `errno` were kept."""
    advice = _advice(kind, text, number)
    return None if advice is None else _reported(advice, kind, text, where)


def damaged_database(error: BaseException, where: str) -> MachineError:
    """Return the error for a database file that cannot be opened."""
    return _reported(_DAMAGED, type(error).__name__, str(error), where)


def _reported(advice: _Advice, kind: str, text: str, where: str) -> MachineError:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return MachineError(
        advice.what,
        where=where,
        expected=advice.expected,
        found=lines[0] if lines else kind,
        fix=advice.fix,
    )


def _number(error: BaseException) -> int | None:
    """Return an exception's error number: the system's, or SQLite's."""
    if isinstance(error, OSError):
        return error.errno
    return getattr(error, "sqlite_errorcode", None)


def _advice(kind: str, text: str, number: int | None) -> _Advice | None:
    match kind:
        case "OutOfMemoryException" | "MemoryError":
            return _MEMORY
        case "IOException":  # of DuckDB
            return _of_io(text)
        case "TransactionException" if text.startswith(_COMMIT):  # of DuckDB, which writes then
            return _of_io(text)
        case "FatalException" | "SerializationException":
            return _DAMAGED
    if number is None:
        return None
    if kind in _OF_SQLITE:
        return _BY_SQLITE.get(number) or _BY_SQLITE.get(number & _SQLITE_PRIMARY)
    return _BY_ERRNO.get(number)


def _of_io(text: str) -> _Advice:
    """Return the advice on an I/O error of DuckDB, which is the machine's in any case.

    It has no number, but ends its first line with the system's text for one.
    """
    first = (text.splitlines() or [""])[0].strip()
    if first.startswith("IO Error: Could not set lock on file "):
        return _LOCKED
    if first.startswith("IO Error: Trying to read a database file with version number "):
        return _NEWER
    for number in errno.errorcode:
        if first.endswith(f": {os.strerror(number)}"):
            return _BY_ERRNO.get(number, _DISK)
    return _DAMAGED
