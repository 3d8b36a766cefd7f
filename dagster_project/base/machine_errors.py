"""Errors of the machine (disk, memory, permissions, locks) as `BadInput`.

DuckDB, SQLite, dbt and Great Expectations each wrap the operating system's message in an error of
their own, so the message is matched. Such an error never rejects a release.
"""

from typing import NamedTuple

from dagster_project.base.errors import BadInput


class _MachineError(NamedTuple):
    words: tuple[str, ...]
    what: str
    expected: str
    fix: str


_TROUBLES = (
    _MachineError(
        ("No space left on device", "database or disk is full", "Disk quota exceeded"),
        "the disk is full",
        "room for the workbench, the candidate and the kept publications",
        "free some space, or keep fewer publications (ROYALTY_KEEP_PUBLICATIONS); then `make run`",
    ),
    _MachineError(
        ("Read-only file system", "Permission denied", "readonly database"),
        "a file or folder that may not be written to",
        "ROYALTY_WAREHOUSE_DIR and DAGSTER_HOME belong to the user who runs this, on a disk that is"
        " mounted for writing",
        "correct the owner, or mount the disk for writing; then `make run`",
    ),
    _MachineError(
        ("Could not set lock on file",),
        "a file that another process has open",
        "no other process that has the workbench or the candidate open",
        "close the program with that PID; clients should open only the published file",
    ),
    _MachineError(
        (
            "not a valid DuckDB database file",
            "Corrupt database file",
            "Could not read enough bytes",
            "Failed to load metadata pointer",
            "Failure while replaying WAL",
            "database has been invalidated",
        ),
        "a damaged database file",
        "the file as DuckDB wrote it",
        "the published file is a different one and stays live. Check the disk, then run"
        " `make rebuild`, which makes a new workbench from the landing folder",
    ),
    _MachineError(
        ("Out of Memory Error", "Cannot allocate memory"),
        "not enough memory",
        "as much as ROYALTY_DUCKDB_MEMORY_LIMIT allows, or the machine has",
        "raise ROYALTY_DUCKDB_MEMORY_LIMIT, or close other programs; then `make run`",
    ),
)


def machine_error(text: str, where: str = "named under `found`") -> BadInput | None:
    """Return the error to report for an error's text, or None if the machine is not the cause."""
    for trouble in _TROUBLES:
        for word in trouble.words:
            line = next((line for line in text.splitlines() if word in line), None)
            if line:
                return BadInput(
                    trouble.what,
                    where=where,
                    expected=trouble.expected,
                    found=line.strip(),
                    fix=trouble.fix,
                )
    return None


def machine_error_behind(error: BaseException) -> BadInput | None:
    """Return the machine error behind an exception or one of its causes, if there is one."""
    while error:
        found = machine_error(str(error))
        cause = error.__cause__ or error.__context__
        if found or cause is None:
            return found
        error = cause
    return None
