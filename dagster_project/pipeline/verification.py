"""Verifies the live publication by building it again, from nothing, in a temporary folder.

The publication's own ledger says which files it was built from. They are loaded again from the
landing folder, and every node is built. Then the two publications must be equal. The warehouse
folder is only read, and a run may publish meanwhile.
"""

import os
from collections.abc import Iterable
from contextlib import ExitStack, closing
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from dagster_project.alerts.message import Alert
from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.logs import say
from dagster_project.base.settings import Settings
from dagster_project.base.sql import literal
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.manual_decisions import ACCEPTED
from dagster_project.ingest.pending_releases import plan_against
from dagster_project.ingest.raw_rows import create_raw_tables, loaded_rows_query
from dagster_project.pipeline.dagster_runs import Dagster
from dagster_project.pipeline.run import build
from dagster_project.publication.comparison import differences
from dagster_project.publication.kept_files import (
    live_file,
    publications_in,
    refuse_if_unpublished,
)
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release
from dagster_project.transform.build_fingerprint import fingerprint_of
from dagster_project.workbench.connection import (
    PATIENCE_SECONDS,
    open_workbench,
    reading_lock,
    write_lock,
)
from dagster_project.workbench.releases import accepted_files, file_entries, set_release_status

if TYPE_CHECKING:
    from dagster import DagsterInstance

# A load: source, release date, time of the load; its files' SHA-256 by name; a person's reason.
Load = tuple[str, date, datetime, dict[str, str], str | None]


def verify_by_rebuild(settings: Settings, instance: "DagsterInstance | None" = None) -> list[str]:
    """Return how the live publication differs from one built from nothing; empty if it does not.

    Takes the time of loading and building everything, and a temporary folder (TMPDIR) as large as
    workbench and publication. Which releases are accepted is taken from the publication; its gates
    and data tests run again. Raises BadInput if there is nothing to verify, if another version of
    the project has built it, or if files that it was built from are lost.
    """
    published = _live(settings)
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="royalty-flows-"))
        fresh = settings.model_copy(
            update={"warehouse_dir": Path(folder).resolve(), "downloads": False}
        )
        say(f"building {published.name} again from nothing, in {folder}")
        stack.enter_context(write_lock(fresh))
        _load_again(settings, fresh, published)
        if instance is None:
            from dagster import DagsterInstance

            instance = stack.enter_context(DagsterInstance.ephemeral())
        dagster = stack.enter_context(closing(Dagster(fresh, instance)))
        failures: list[Alert] = []
        built = build(fresh, dagster, failures, full_refresh=True)
        problems = [f"built from nothing: {failure.what}: {failure.why}" for failure in failures]
        return problems + (differences(published, fresh.warehouse) if built else [])


def _live(settings: Settings) -> Path:
    """Return the live publication's kept file, which no run replaces. Raises BadInput."""
    refuse_if_unpublished(settings, "verify")
    published = live_file(settings)
    history = publications_in(published)
    with duckdb.connect(published, read_only=True) as con:
        accepted = accepted_files(con)
    if not history or history[-1][5] != fingerprint_of(accepted):
        raise BadInput(
            "another version of the project has built the live publication",
            where=str(published),
            expected="models, gates, code and engine as they are now",
            found="the publication was built with others",
            fix="run `make publish`, then verify again; or verify with that version",
        )
    return published


def _load_again(settings: Settings, fresh: Settings, published: Path) -> None:
    """Load what a publication was built from, in the same order, and copy the decisions."""
    sources = all_sources()
    landed = {
        (release.source, release.date): release
        for release in plan_against({}, settings.landing_dir, bundled=settings.bundled_dir).releases
    }
    lost: list[Load] = []
    with open_workbench(fresh) as con:
        con.execute(f"attach {literal(str(published))} as published (read_only)")
        for source in sources.values():
            create_raw_tables(con, source)
        for load in _loads(con):
            name, day, _, digests, reason = load
            release = landed.get((name, day))
            if release is None or not _has_bytes(release, digests):
                lost.append(load)
                continue
            load_release(con, sources[name], release)
            (entry, *_) = file_entries(con, name, day)["loaded"]
            set_release_status(con, name, day, entry.loaded_at, "accepted", reason)
        if lost:
            _copy_rows(settings, con, lost)
        _copy_entries(con, "status = 'rejected'")
        con.execute("insert into audit.decisions from published.audit.decisions")
        con.execute("detach published")


def _loads(con: duckdb.DuckDBPyConnection) -> list[Load]:
    """Return the accepted loads of the attached publication, in the order in which they came."""
    files = con.execute(
        "select source, release_date, loaded_at, file_name, sha256, reason"
        " from published.audit.releases where status = 'accepted'"
        " order by loaded_at, source, release_date, file_name"
    ).fetchall()
    loads: list[Load] = []
    for (source, day, loaded_at), group in groupby(files, key=lambda file: file[:3]):
        entries = list(group)
        reason = entries[0][5] or ""
        digests = {name: sha256 for *_, name, sha256, _ in entries}
        by_hand = reason if reason.startswith(ACCEPTED) else None
        loads.append((source, day, loaded_at, digests, by_hand))
    return loads


def _has_bytes(release: Release, digests: dict[str, str]) -> bool:
    names = {path.name for path in release.files}
    return names == digests.keys() and all(
        file_sha256(path) == digests[path.name] for path in release.files
    )


def _copy_rows(settings: Settings, con: duckdb.DuckDBPyConnection, lost: Iterable[Load]) -> None:
    """Copy the raw rows of loads whose files are gone or have changed from the workbench.

    Holds the warehouse's lock meanwhile, as `make status` does. Raises BadInput if the rows are
    gone, too.
    """
    gone = []
    with reading_lock(settings, PATIENCE_SECONDS):
        if os.access(settings.workbench, os.R_OK):
            con.execute(f"attach {literal(str(settings.workbench))} as live (read_only)")
        for source, day, loaded_at, _, _ in lost:
            copied = sum(
                con.execute(
                    f'insert into raw."{table.name}" by name '
                    + loaded_rows_query(table, day, loaded_at).replace(" raw.", " live.raw.")
                ).fetchall()[0][0]
                for table in all_sources()[source].tables
                if _has_table(con, table.name)
            )
            if copied:
                where = f"source = '{source}' and release_date = '{day}' and status = 'accepted'"
                _copy_entries(con, where)
                say(f"  {source} {day}: not in the landing folder, so its rows are copied")
            else:
                gone.append(f"{source}/{day}")
        con.execute("detach database if exists live")
    if gone:
        raise BadInput(
            "the live publication cannot be built again",
            where=str(settings.landing_dir),
            expected="the files that it was built from, or their rows in the workbench",
            found=f"neither for {', '.join(gone)}",
            fix="restore the files, or build without them: `make forget`, then `make run`",
        )


def _has_table(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(
        con.execute(
            "select 1 from duckdb_tables() where database_name = 'live'"
            " and schema_name = 'raw' and table_name = ?",
            [table],
        ).fetchall()
    )


def _copy_entries(con: duckdb.DuckDBPyConnection, condition: str) -> None:
    con.execute(
        "insert into audit.releases by name select *, loaded_at as modified_at"
        f" from published.audit.releases where {condition}"
    )
