"""Rebuilds a damaged or lost workbench from the landing folder.

Every landed release is loaded and gated again, into a new workbench that then replaces the old one.
Manual decisions are not in the landing folder: they are taken from the old ledger or, if that
cannot be read, from its copy in the published file.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from dagster_project.base.clock import system_clock
from dagster_project.base.durable_files import link_or_copy, sync
from dagster_project.base.errors import BadInput
from dagster_project.base.logs import say
from dagster_project.base.settings import Settings
from dagster_project.ingest.manual_decisions import ACCEPTED, REJECTED, accept, reject
from dagster_project.ingest.pending_releases import make_plan
from dagster_project.pipeline.dagster_runs import Dagster
from dagster_project.pipeline.run import (
    FAILED,
    PUBLISHED,
    PUBLISHED_WITH_REJECTIONS,
    announce,
    build,
    ingest,
    upload,
)
from dagster_project.publication.publish import reconcile
from dagster_project.workbench.connection import open_workbench, write_lock
from dagster_project.workbench.decisions import record_decision
from dagster_project.workbench.ledger_schema import refuse_newer_ledger
from dagster_project.workbench.publications import record_published_file
from dagster_project.workbench.releases import file_entries
from dagster_project.workbench.replaced import REPLACED, STAMP, leftovers

if TYPE_CHECKING:
    from dagster import DagsterInstance

_FILES = "source, release_date, file_name, sha256, status, reason"


@dataclass(frozen=True)
class LedgerSnapshot:
    """The state before the rebuild: decisions, publications, and accepted and rejected files.

    files: source, release date, file name, SHA-256, status and reason, without superseded ones.
    """

    origin: str
    files: list[tuple] = field(default_factory=list)
    decisions: list[tuple] = field(default_factory=list)
    publications: list[tuple] = field(default_factory=list)
    published_files: list[tuple] = field(default_factory=list)


def rebuild(
    settings: Settings, *, force: bool = False, instance: "DagsterInstance | None" = None
) -> int:
    """Replace the workbench by one made from the landing folder, then build and publish.

    Every release that was current must be so again, with the same bytes, unless `force`. Returns as
    `run` does. Raises BadInput, and keeps the old workbench, if a release would be lost, if another
    run is writing, or if a newer version wrote the ledger. A crash leaves either the old or the new
    workbench intact.
    """
    with write_lock(settings), closing(Dagster(settings, instance)) as dagster:
        before = _old_ledger(settings)
        say(f"manual decisions are taken from {before.origin}")
        fresh = settings.model_copy(update={"warehouse_dir": leftovers(settings)})
        shutil.rmtree(fresh.warehouse_dir, ignore_errors=True)
        fresh.warehouse_dir.mkdir(mode=0o700)
        with open_workbench(fresh) as con:
            plan = make_plan(
                con,
                settings.landing_dir,
                bundled=settings.bundled_dir,
                limits=settings.release_limits,
            )
        announce(settings, plan)
        failed = list(ingest(fresh, plan, dagster))
        with open_workbench(fresh) as con:
            _decide_again(con, before)
            lost = list(_lost(con, before))
        if lost and not force:
            raise BadInput(
                "the new workbench would lack current releases",
                where=str(settings.landing_dir),
                expected=f"every release that was current according to {before.origin}",
                found="; ".join(lost),
                fix="restore the files, or see above why they are rejected now;"
                " to go on without them, run `make rebuild FORCE=1`",
            )
        aside = _swap(settings, fresh)
        say(f"workbench rebuilt; the old one is kept as {aside}" if aside else "a new workbench")
        reconcile(settings)
        built = build(settings, dagster, failed)
        upload(settings, dagster, failed)
        if not built:
            return FAILED
        return PUBLISHED_WITH_REJECTIONS if plan.problems or failed else PUBLISHED


def _old_ledger(settings: Settings) -> LedgerSnapshot:
    if settings.workbench.exists():
        with suppress(duckdb.Error), duckdb.connect(settings.workbench) as con:
            con.execute("checkpoint")
            refuse_newer_ledger(con)
            return _snapshot(con, "the old workbench")
    if settings.warehouse.exists():
        with suppress(duckdb.Error), duckdb.connect(settings.warehouse, read_only=True) as con:
            return _snapshot(con, "the published file, as the old workbench cannot be read")
    return LedgerSnapshot("nowhere: neither an old workbench nor a published file can be read")


def _snapshot(con: duckdb.DuckDBPyConnection, origin: str) -> LedgerSnapshot:
    tables = {
        name
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where schema_name = 'audit'"
        ).fetchall()
    }

    def rows(table: str, query: str) -> list[tuple]:
        return con.execute(query).fetchall() if table in tables else []

    return LedgerSnapshot(
        origin,
        rows(
            "releases",
            f"select {_FILES} from audit.releases where status in ('accepted', 'rejected')"
            " order by source, release_date, status",
        ),
        rows("decisions", "from audit.decisions order by decided_at"),
        rows("publication", "from audit.publication order by published_at"),
        rows("published_files", "from audit.published_files"),
    )


def _decide_again(con: duckdb.DuckDBPyConnection, before: LedgerSnapshot) -> None:
    """Repeat the decisions that still apply (the files are the same) in the new ledger."""
    for (source, day, status), files in groupby(
        before.files, key=lambda file: (*file[:2], file[4])
    ):
        digests, reasons = {}, []
        for _, _, name, sha256, _, reason in files:
            digests[name] = sha256
            reasons.append(reason or "")
        for decide, needed, mark in (
            (reject, "accepted", REJECTED),
            (accept, "rejected", ACCEPTED),
        ):
            now = file_entries(con, source, day).get(needed, [])
            if (
                status != needed
                and reasons[0].startswith(mark)
                and {entry.file_name: entry.sha256 for entry in now} == digests
            ):
                try:
                    decide(con, f"{source}/{day}", reasons[0].removeprefix(mark))
                except BadInput as problem:  # it stays rejected, and is reported as lost
                    say(f"  not {reasons[0]}: {problem}", "WARNING")
                else:
                    say(f"  {reasons[0]}: {source} {day}")
    con.execute("delete from audit.decisions")
    for decision in before.decisions:
        con.execute("insert into audit.decisions values (?, ?, ?, ?)", decision)
    for publication in before.publications:
        con.execute("insert into audit.publication values (?, ?, ?, ?, ?, ?)", publication)
    for identity, sha256, size in before.published_files:
        record_published_file(con, identity, sha256, size)
    record_decision(con, "rebuild", "workbench", f"decisions taken from {before.origin}")


def _lost(con: duckdb.DuckDBPyConnection, before: LedgerSnapshot) -> Iterator[str]:
    """Yield each file that was current and no longer is, with the reason."""
    for source, day, name, sha256, status, _ in before.files:
        if status == "accepted":
            entries = [
                entry
                for found in file_entries(con, source, day).values()
                for entry in found
                if entry.file_name == name
            ]
            if not entries:
                yield f"{source}/{day}: {name} is not in the landing folder"
            elif entries[0].sha256 != sha256:
                yield f"{source}/{day}: {name} differs from the file that was current"
            elif entries[0].status != "accepted":
                yield f"{source}/{day}: {name} is {entries[0].status} now"


def _swap(settings: Settings, fresh: Settings) -> Path | None:
    """Put the new workbench in the old one's place, and return the old one's new name.

    The old file gets a second name before the new one is renamed over it, so that there always is
    one. Its write-ahead log, which exists only if it could not be opened, must not be applied to
    the new one.
    """
    aside = settings.workbench.with_name(f"{REPLACED}{system_clock().strftime(STAMP)}.duckdb")
    log = Path(f"{settings.workbench}.wal")
    found = settings.workbench.exists()
    if found:
        link_or_copy(settings.workbench, aside)
    if log.exists():
        log.rename(f"{aside}.wal")
    os.replace(fresh.workbench, settings.workbench)
    sync(settings.warehouse_dir)
    shutil.rmtree(fresh.warehouse_dir)
    return aside if found else None
