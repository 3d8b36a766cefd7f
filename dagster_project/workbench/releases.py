"""The ledger's entries on raw files: `audit.releases`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import duckdb


@dataclass(frozen=True)
class FileEntry:
    """The ledger's entry on one raw file of a release."""

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


def record_modified(
    con: duckdb.DuckDBPyConnection, files: Iterable[tuple[str, date, str, str, datetime]]
) -> None:
    """Record new times of unchanged files (source, release, name, SHA-256, time). Then the next run
    need not read them to see that they are unchanged.
    """
    for *file, modified_at in files:
        con.execute(
            "update audit.releases set modified_at = ?"
            " where source = ? and release_date = ? and file_name = ? and sha256 = ?",
            [modified_at, *file],
        )


def record_files(
    con: duckdb.DuckDBPyConnection, source: str, release: date, files: Iterable[FileEntry]
) -> None:
    """Record files, and drop the release's earlier entries that were never accepted."""
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


def set_release_status(
    con: duckdb.DuckDBPyConnection,
    source: str,
    release: date,
    loaded_at: datetime,
    status: str,
    reason: str | None,
) -> None:
    """Accept one load of a release, which supersedes any accepted before, or reject it. Without a
    reason, each file keeps the notes of its load.
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


def accepted_files(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    """Return source, release, file name, SHA-256 and load time of every accepted file."""
    return con.execute(
        "select source, release_date, file_name, sha256, loaded_at from audit.releases"
        " where status = 'accepted' order by all"
    ).fetchall()


def current_before(
    con: duckdb.DuckDBPyConnection, source: str, release: date, loaded_at: datetime
) -> tuple[date, datetime] | None:
    """Return date and load time of the accepted release before a given load. That is an earlier
    load of the same date if the release was loaded again; never the load itself, which may be
    current and checked again.
    """
    return con.execute(
        "select release_date, loaded_at from audit.releases where source = ?"
        " and release_date <= ? and loaded_at <> ? and status = 'accepted'"
        " order by all desc limit 1",
        [source, release, loaded_at],
    ).fetchone()
