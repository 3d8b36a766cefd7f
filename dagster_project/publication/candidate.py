"""The candidate: the file that becomes the next publication.

It starts as a copy of the live publication, so that a build writes only what changes, or empty if
there is none, if the live one was built by another version of the project, or if its bytes are not
those that were published.
"""

from pathlib import Path

import duckdb

from dagster_project.base.durable_files import copy_file
from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.private_files import set_mode
from dagster_project.base.settings import Settings
from dagster_project.base.sql import literal
from dagster_project.publication.kept_files import publications_in
from dagster_project.transform.build_fingerprint import project_fingerprint
from dagster_project.workbench.builds import project_of
from dagster_project.workbench.publications import published_sha256

# Beyond this share of free blocks, which deleted rows leave, the contents are copied instead.
_FREE_BLOCKS = 0.25


def publication_to_start_from(settings: Settings, con: duckdb.DuckDBPyConnection) -> str | None:
    """Return the candidate that became the live publication, if the next one can be a copy of it:
    the ledger knows it and its SHA-256, and the project is the same. con: the workbench.
    """
    if not settings.warehouse.exists():
        return None
    try:
        publication, *_, candidate, _ = publications_in(settings.warehouse)[-1]
    except (BadInput, IndexError):
        return None
    if project_of(con, candidate) != project_fingerprint():
        return None
    is_as_published = file_sha256(settings.warehouse) == published_sha256(con, publication)
    return str(candidate) if is_as_published else None


def create_candidate(settings: Settings, candidate_id: str, *, copy_live: bool) -> None:
    """Create the candidate's file, with its id. It has the live publication's tables, or none."""
    path = settings.candidate
    if copy_live:
        _copy(settings.warehouse, path)
    with duckdb.connect(path, config=settings.duckdb_config) as con:
        con.execute("drop schema if exists audit cascade")
        con.execute("create schema audit")
        con.execute("create table audit.candidate (candidate_id varchar not null)")
        con.execute("insert into audit.candidate values (?)", [candidate_id])


def remove_candidate(settings: Settings) -> None:
    """Remove the file of an earlier candidate, and make sure that its folder exists."""
    settings.candidate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (settings.candidate, settings.candidate.with_suffix(".duckdb.wal")):
        path.unlink(missing_ok=True)


def _copy(live: Path, path: Path) -> None:
    """Copy the live file, or its contents if too many of its blocks are free."""
    with duckdb.connect() as con:
        con.execute(f"attach {literal(str(live))} as live (read_only)")
        blocks, free = con.execute(
            "select total_blocks, free_blocks from pragma_database_size()"
            " where database_name = 'live'"
        ).fetchall()[0]
        if free > _FREE_BLOCKS * blocks:
            con.execute(f"attach {literal(str(path))} as fresh")
            con.execute("copy from database live to fresh")
            set_mode(path, 0o600)
            return
    copy_file(live, path)
    set_mode(path, 0o600)
