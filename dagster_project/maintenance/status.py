"""The state of the warehouse: live publication, current and rejected releases, new files."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

import duckdb

from dagster_project.base.clock import Clock, in_utc, system_clock
from dagster_project.base.errors import BadInput, TryLater, printable
from dagster_project.base.settings import Settings
from dagster_project.ingest.pending_releases import plan_against
from dagster_project.publication.kept_files import (
    kept_id,
    kept_publications,
    publication_id,
    publication_time,
    publications_in,
)
from dagster_project.publication.records import stated_sha256
from dagster_project.publication.signature import signature_file
from dagster_project.publication.upload import stored_publication
from dagster_project.transform.build_fingerprint import build_fingerprint
from dagster_project.workbench.connection import read_workbench
from dagster_project.workbench.publications import last_publication
from dagster_project.workbench.releases import all_file_entries

_DECISIONS_SHOWN = 5


def status(
    settings: Settings, last_failure: Callable[[], str], clock: Clock = system_clock
) -> Iterator[str]:
    """Yield the lines of the status; all files are opened read-only.

    last_failure: describes the last failed run.
    """
    present = publication_id(settings)
    kept = [kept_id(path) for path in kept_publications(settings)]
    yield f"warehouse     {settings.warehouse}"
    yield f"published     {_published(settings, present, in_utc(clock))}"
    if present:
        yield f"file          {_file(settings, present)}"
    yield f"kept          {', '.join(kept) or 'none'}"
    yield f"readers       {_readers(settings)}"
    if settings.publish_url:
        yield f"object store  {_uploaded(settings, present)}"
    failure = last_failure()  # slow, so before the ledger is open, which blocks writers
    damage = _damage(settings)
    with _ledger(settings, damage) as (con, trouble):
        if con and not trouble:
            yield f"state         {_state(con, present)}"
        yield f"disk          {_disk(settings)}"
        yield f"last failure  {failure}"
        yield from (f"ATTENTION     {what}" for what in (damage, trouble) if what)
        if con:
            yield from _current(con)
            yield from _rejected(con)
            if not trouble:
                yield from _waiting(con, settings, clock)
            yield from _decided(con)


def _damage(settings: Settings) -> str | None:
    """Return why the published file cannot be read, if so."""
    if settings.warehouse.exists():
        try:
            publications_in(settings.warehouse)
        except BadInput as problem:
            return str(problem)
    return None


@contextmanager
def _ledger(
    settings: Settings, damage: str | None
) -> Iterator[tuple[duckdb.DuckDBPyConnection | None, str | None]]:
    """Open the ledger of the workbench, else of the published file; also return the problem.

    damage: why the published file cannot be read, if it cannot.
    """
    with ExitStack() as stack:
        con, trouble = None, None
        try:
            if settings.workbench.exists() and not os.access(settings.workbench, os.R_OK):
                trouble = "only its owner can read the workbench; below is the live publication"
            elif settings.workbench.exists() or settings.warehouse.exists():
                con = stack.enter_context(read_workbench(settings))
        except TryLater:
            trouble = "a run is writing; below is the live publication"
        except (BadInput, OSError) as problem:
            trouble = f"{problem}; below is the live publication"
        if con is None and settings.warehouse.exists() and not damage:
            con = stack.enter_context(duckdb.connect(settings.warehouse, read_only=True))
        yield con, trouble


def _published(settings: Settings, present: str | None, now: datetime) -> str:
    if present:
        since = publication_time(present)
        return f"{present}, made {since:%Y-%m-%d %H:%M} UTC, {_ago(now - since)}"
    if settings.warehouse.exists():
        return "a file that is not one of the kept publications"
    return "nothing yet: run `make run`"


def _readers(settings: Settings) -> str:
    """Return who may read published files, as far as the folders on the way let them."""
    group = settings.readers.group
    who = "everyone" if group is None else f"group {settings.read_group}"
    if os.name == "posix":
        for folder in (settings.warehouse_dir, *settings.warehouse_dir.parents):
            if folder.exists() and not _lets_pass(folder.stat(), group):
                return f"only its owner: {folder} is closed (chmod, or set ROYALTY_READ_GROUP)"
    return who


def _lets_pass(folder: os.stat_result, group: int | None) -> bool:
    of_group = group == folder.st_gid and folder.st_mode & stat.S_IXGRP
    return bool(of_group or folder.st_mode & stat.S_IXOTH)


def _file(settings: Settings, present: str) -> str:
    """Return the recorded SHA-256 of the live publication; `make verify` compares it."""
    for kept in kept_publications(settings):
        if kept_id(kept) == present:
            sha256 = stated_sha256(kept) or "not recorded"
            return (
                f"SHA-256 {sha256}, {'signed' if signature_file(kept).exists() else 'not signed'}"
            )
    return "not one of the kept publications"


def _uploaded(settings: Settings, present: str | None) -> str:
    """Return which publication is current in object storage, and what to do if it is another."""
    try:
        there = stored_publication(settings)
    except BadInput as problem:
        return f"UNKNOWN, {problem}"
    what = f"{settings.publish_url}: {there or 'no publication'}"
    if there == present:
        return f"{what}, the live one"
    return f"{what}; NOT the live one: `make upload` puts it there"


def _state(con: duckdb.DuckDBPyConnection, present: str | None) -> str:
    last = last_publication(con)
    if not last:
        return "nothing has been published yet"
    if last[1] != build_fingerprint(con):
        return "releases, models or gates have changed since: `make run` publishes again"
    if present is None:
        return (
            "the published file is not one of those kept: `make publish` builds and publishes again"
        )
    if last[0] != present:
        return f"rolled back from {last[0]}: `make publish` builds and publishes again"
    return "up to date with the current releases"


def _disk(settings: Settings) -> str:
    if not settings.warehouse_dir.exists():
        return f"no folder {settings.warehouse_dir} yet"
    found = {  # the published file is a second name of a kept one
        state.st_ino: state.st_size
        for path in settings.warehouse_dir.rglob("*")
        if path.is_file() and (state := path.stat())
    }
    free = shutil.disk_usage(settings.warehouse_dir).free
    return (
        f"{free / 2**30:,.1f} GB free; the warehouse folder takes {_megabytes(sum(found.values()))}"
    )


def _current(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    sources = con.execute(
        """
        select source, max(release_date), arg_max(records, release_date),
            arg_max(loaded_at, release_date), count(*) - 1
        from (
            select source, release_date, sum(rows_kept) as records, max(loaded_at) as loaded_at
            from audit.releases where status = 'accepted' group by all
        )
        group by source order by source
        """
    ).fetchall()
    yield f"\ncurrent: {len(sources)} sources, their latest releases"
    for source, day, records, loaded_at, earlier in sources:
        line = f"  {source:<26} {day}  {records:>10,} records, loaded {loaded_at:%Y-%m-%d %H:%M}"
        yield line + (f", {earlier} earlier" if earlier else "")


def _rejected(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    releases = con.execute(
        "select source, release_date, min(reason), max(loaded_at) from audit.releases"
        " where status = 'rejected' group by all order by source, release_date"
    ).fetchall()
    if releases:
        yield f"\nrejected: {len(releases)} (what to do: docs/runbook.md)"
    for source, day, reason, loaded_at in releases:
        yield f"  {source}/{day}, loaded {loaded_at:%Y-%m-%d %H:%M}"
        yield from (f"      {line}" for line in (reason or "").splitlines())


def _waiting(con: duckdb.DuckDBPyConnection, settings: Settings, clock: Clock) -> Iterator[str]:
    plan = plan_against(
        all_file_entries(con),
        settings.landing_dir,
        bundled=settings.bundled_dir,
        clock=clock,
        limits=settings.release_limits,
    )
    if plan.new:
        yield f"\nlanded, not loaded: {len(plan.new)} (`make run` loads them)"
        yield from (f"  {release.source}/{release.date}" for release in plan.new)
    if plan.problems:
        yield f"\nrefused: {len(plan.problems)}"
        yield from (f"  {problem}" for problem in plan.problems)
    if plan.folders_without_source:
        yield "\nno source module yet: " + ", ".join(map(printable, plan.folders_without_source))


def _decided(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    if not con.execute(
        "select 1 from duckdb_tables() where schema_name = 'audit' and table_name = 'decisions'"
    ).fetchall():
        return  # a file of an earlier version without decisions
    decisions = con.execute(
        "from audit.decisions order by decided_at desc limit ?", [_DECISIONS_SHOWN]
    ).fetchall()
    if decisions:
        yield "\nmanual decisions, latest first"
    for decided_at, decision, subject, reason in decisions:
        yield f"  {decided_at:%Y-%m-%d %H:%M}  {decision} {subject}: {printable(reason)}"


def _ago(passed: timedelta) -> str:
    if passed < timedelta(0):
        return "which is in the future: the machine's clock has been set back"
    hours, seconds = divmod(passed.seconds, 3600)
    return f"{passed.days} days ago" if passed.days else f"{hours} h {seconds // 60} min ago"


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MB"
