"""Fetches one source: download, check, compare with earlier releases, land the release.

A release lands as a whole, by renaming a folder that is marked as complete; otherwise the landing
folder is unchanged.
"""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import Timeout

from dagster_project.base.clock import Clock, date_in, latest_date, system_clock
from dagster_project.base.complete_marker import mark_complete
from dagster_project.base.durable_files import sync
from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.hashing import file_sha256
from dagster_project.base.private_files import like, private_files
from dagster_project.base.settings import Settings
from dagster_project.fetching.download import Downloader
from dagster_project.fetching.fetch_history import FetchHistory
from dagster_project.fetching.fetcher import Fetcher, PublicationDate, Session
from dagster_project.layouts import layout_of
from dagster_project.layouts.zip_layout import unpacked_once
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release, landed_releases
from dagster_project.workbench.connection import prepare_folder
from dagster_project.workbench.lock import private_lock

INCOMING = ".incoming"  # ingest ignores names that begin with a dot

DAY_OF_DOWNLOAD = "the day of the download, as there is no other date"


@dataclass(frozen=True)
class FetchResult:
    """The result of a fetch. `release` holds the publisher's current files.

    dated_by: where the release's date comes from; empty if it was not fetched.
    """

    release: Release
    is_new: bool
    dated_by: str


def fetch_source(
    fetcher: Fetcher,
    settings: Settings,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Clock = system_clock,
) -> FetchResult:
    """Download the publisher's current release to the landing folder, unless it has landed already.

    Raises BadInput, without any API key; the landing folder is then unchanged.
    """
    secrets = tuple(
        key for key in (getattr(settings, name) for name in fetcher.keys) if key is not None
    )
    downloader = Downloader(
        settings, fetcher.source, fetcher.hosts(settings), fetcher.max_bytes, secrets, sleep
    )
    try:
        with _incoming(settings, fetcher.source) as folder, downloader.connected():
            history = FetchHistory.of(settings.landing_dir / fetcher.source)
            session = Session(fetcher, settings, downloader, folder, history)
            published = fetcher.fetch(session)
            return _land(fetcher, settings, session, history, published, clock)
    except OSError as error:
        raise BadInput(
            "the landing folder cannot be written",
            where=f"{fetcher.source}: {settings.landing_dir}",
            expected="space and permission to write",
            found=str(error),
            fix="free some space or correct the permissions, then fetch again",
        ) from error


@contextmanager
def _incoming(settings: Settings, source: str) -> Iterator[Path]:
    """Yield a folder for incomplete files; it is removed in any case."""
    if not settings.landing_dir.is_dir():
        raise BadInput(
            "no landing folder",
            where=str(settings.landing_dir),
            expected="a folder <source>/<release>/<file>",
            found="nothing there",
            fix="set ROYALTY_LANDING_DIR, or create the folder",
        )
    prepare_folder(settings)
    held = ExitStack()
    try:
        held.enter_context(private_lock(settings.warehouse_dir / f".fetch-{source}.lock", 0))
    except Timeout:
        raise TryLater(
            "another run is fetching this source",
            where=source,
            expected="one fetch of a source at a time",
            found="its lock held by another process",
            fix="wait until that run has ended",
        ) from None
    incoming = settings.landing_dir / INCOMING
    with held, private_files():
        for left_behind in incoming.glob(f"{source}.*"):  # of a killed process
            shutil.rmtree(left_behind)
        folder = incoming / f"{source}.{uuid.uuid4().hex}"
        for part in ("release", "scratch"):
            (folder / part).mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # another source may be fetching into it
                incoming.rmdir()


def _land(
    fetcher: Fetcher,
    settings: Settings,
    session: Session,
    history: FetchHistory,
    published: PublicationDate | None,
    clock: Clock,
) -> FetchResult:
    files = sorted(session.release.iterdir())
    _check_layouts(fetcher.source, files)
    target = history.folder
    landed = (
        landed_releases(fetcher.source, settings.landing_dir, clock)[0] if target.is_dir() else []
    )
    fingerprints = {fetcher.fingerprint(path) for path in files}
    dates = _dates(fetcher, published, session.last_modified, clock)
    # Compare with the newest release and one of the same date. If an older one is equal, the
    # publisher has revised the figures since and gone back: that is a new release.
    for release in reversed(landed):
        if release.date not in (landed[-1].date, dates[0].on):
            continue
        if {fetcher.fingerprint(path) for path in release.files} == fingerprints:
            _record_responses(history, session, release)
            return FetchResult(release, False, history.dated_by.get(str(release.date), ""))
    taken = {release.date for release in landed}
    free = [day for day in dates if day.on not in taken and not (target / str(day.on)).exists()]
    if not free:
        raise BadInput(
            "other files under the same date",
            where=f"{fetcher.source}/{dates[-1].on}",
            expected="one release per day",
            found="today's release, which differs from the publisher's current files",
            fix="fetch again tomorrow, or remove today's release if it was never loaded",
        )
    day = free[0]
    for path in files:
        sync(path)
    is_first = not target.is_dir()
    target.mkdir(exist_ok=True)
    if is_first:
        like(target, settings.landing_dir)
    like(session.release, target)
    mark_complete(session.release)  # last: what changes after it is not complete
    sync(session.release)
    try:
        os.rename(session.release, target / str(day.on))
    except OSError:
        if is_first:
            target.rmdir()
        raise
    sync(target)
    release = Release(
        fetcher.source, day.on, tuple(target / str(day.on) / path.name for path in files)
    )
    history.dated_by[str(day.on)] = day.said_by
    _record_responses(history, session, release)
    return FetchResult(release, True, day.said_by)


@unpacked_once()
def _check_layouts(source: str, files: list[Path]) -> None:
    """Raise BadInput unless each file matches a layout and the main tables are filled.

    A file that only describes the data need not match one.
    """
    module = all_sources()[source]
    tables = []
    for path in files:
        try:
            tables.append(layout_of(path, module.layouts).table)
        except BadInput as problem:
            if module.is_companion(path):
                continue
            problem_at = f"{source}: {problem.where}, as downloaded"
            raise BadInput(
                problem.what,
                where=problem_at,
                expected=problem.expected,
                found=problem.found,
                fix=problem.fix,
            ) from None
    missing = [table.name for table in module.required if table not in tables]
    if missing:
        raise BadInput(
            "a release without its main table",
            where=f"{source}: as downloaded",
            expected=f"a file that fills raw.{', raw.'.join(missing)}",
            found="files " + (", ".join(path.name for path in files) or "none"),
            fix="look at what the publisher serves now, and correct the source's fetcher",
        )


def _dates(
    fetcher: Fetcher, published: PublicationDate | None, modified: list[datetime], clock: Clock
) -> list[PublicationDate]:
    """Return the possible dates of the release, best first, in the publisher's time zone.

    The later ones are for files that the publisher has changed without a new date.
    """
    calendar = all_sources()[fetcher.source].calendar
    zone = calendar.timezone if calendar else "UTC"
    today = date_in(zone, clock)
    dates = []
    if published:
        if published.on > latest_date(clock):
            raise BadInput(
                "a release dated in the future",
                where=f"{fetcher.source}: {published.said_by}",
                expected=f"a date up to {latest_date(clock)}",
                found=f"{published.on}; it is {clock():%Y-%m-%d %H:%M %Z} by the machine's clock",
                fix="set the machine's clock if that is wrong; otherwise look at what the publisher"
                " serves",
            )
        dates.append(published)
    if modified:
        # By the server's clock, which may be ahead.
        changed = date_in(zone, lambda: max(modified))
        header = PublicationDate(min(changed, today), "the Last-Modified header")
        if published is None or header.on > published.on:
            dates.append(header)
    return [*dates, PublicationDate(today, DAY_OF_DOWNLOAD)]


def _record_responses(history: FetchHistory, session: Session, release: Release) -> None:
    """Record the responses whose files the release holds byte for byte."""
    held = {path.name: file_sha256(path) for path in release.files}
    history.release = str(release.date)
    history.served = {
        url: served
        for url, served in session.served.items()
        if served.files.items() <= held.items()
    }
    history.write()
