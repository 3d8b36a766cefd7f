"""Releases to load: landed, bundled and packaged ones, compared with the ledger.

Imports neither Dagster nor dbt nor Great Expectations, so that a run with nothing new is quick.
"""

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from dagster_project.base.clock import Clock, system_clock
from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.hashing import file_sha256, folder_state, last_change
from dagster_project.base.limits import LIMITS, ReleaseLimits
from dagster_project.ingest.load_release import changed_bytes, modified_at
from dagster_project.sources import all_sources
from dagster_project.sources.source import (
    Release,
    Source,
    is_date,
    is_of_other_programs,
    landed_release,
    landed_releases,
    recorded_name,
    refuse_oversized,
)
from dagster_project.workbench.releases import FileEntry, all_file_entries, record_modified


@dataclass
class Plan:
    """New releases to load, known releases that stay rejected, and problems.

    replaced: names of the new releases that will replace an accepted load of the same date.
    skipped: releases that differ from the ledger and that the caller has reported already.
    touched: files with a new time and unchanged bytes, for `record_modified`.
    releases: all usable ones, new or not.
    """

    new: list[Release] = field(default_factory=list)
    still_rejected: list[tuple[Release, str]] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)
    problems: list[BadInput] = field(default_factory=list)
    folders_without_source: list[str] = field(default_factory=list)
    skipped: list[Release] = field(default_factory=list)
    touched: list[tuple[str, date, str, str, datetime]] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)


def releases_of(
    source: Source,
    landing: Path,
    bundled: Path | None = None,
    clock: Clock = system_clock,
    limits: ReleaseLimits = LIMITS,
) -> tuple[list[Release], list[BadInput]]:
    """Return a source's usable releases, oldest first, and the problems of the others.

    Includes bundled and packaged releases. A landed one takes precedence over those of the same
    date: a later package with the same date must not replace the current release.
    """
    landed, problems = _releases_in(landing, source, clock, limits)
    also, also_problems = _releases_in(bundled, source, clock, limits)
    packaged = [source.packaged()] if source.packaged else []
    by_date = {release.date: release for release in [*packaged, *also, *landed]}
    return sorted(by_date.values(), key=lambda release: release.date), problems + also_problems


def _releases_in(
    folder: Path | None, source: Source, clock: Clock, limits: ReleaseLimits
) -> tuple[list[Release], list[BadInput]]:
    if folder is None or not (folder / source.name).is_dir():
        return [], []
    return landed_releases(source.name, folder, clock, limits)


def find_release(
    source: Source,
    landing: Path,
    label: str,
    bundled: Path | None = None,
    limits: ReleaseLimits = LIMITS,
) -> Release:
    """Return the release called `label` (its date). Raises BadInput."""
    if is_date(label) and (landing / source.name / label).is_dir():
        folder = landing / source.name / label
        refuse_oversized(source.name, folder, limits)
        return landed_release(source.name, folder)
    releases, problems = releases_of(source, landing, bundled, limits=limits)
    for release in releases:
        if str(release.date) == label:
            return release
    for problem in problems:
        if problem.where.endswith(label):
            raise problem
    raise BadInput(
        "the release does not exist",
        where=f"{source.name} {label}",
        expected="one of " + (", ".join(str(release.date) for release in releases) or "none yet"),
        found="no such release",
        fix=f"put its files into {source.name}/{label}/ in the landing folder",
    )


def ignored_note(release: Release) -> str:
    """Return a note on the files in a release's folder that other programs have put there."""
    return f"{release.label}: ignored, as other programs leave them: {', '.join(release.ignored)}"


def wait_until_settled(release: Release, seconds: float, clock: Clock = system_clock) -> None:
    """Wait until a release's folder has been unchanged for so long: it may still be copied.

    Raises TryLater if it changes meanwhile.
    """
    folder = release.files[0].parent
    remaining = last_change(folder) + seconds - clock().timestamp()
    if remaining <= 0:
        return
    before = release_state(release)
    time.sleep(min(remaining, seconds))  # limited, in case the clock has jumped backwards
    if release_state(release) != before:
        raise TryLater(
            "a release that is still being written",
            where=release.label,
            expected=f"files that have not changed for {seconds:g} seconds",
            found="a change during the wait",
            fix="run again when the copy is complete; `make run` loads it then",
        )


def make_plan(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    reload: frozenset[str] = frozenset(),
    bundled: Path | None = None,
    clock: Clock = system_clock,
    limits: ReleaseLimits = LIMITS,
) -> Plan:
    """Compare the landed releases with the ledger. `reload` names some as `<source>/<date>`."""
    plan = plan_against(
        all_file_entries(con), landing, reload, bundled=bundled, clock=clock, limits=limits
    )
    record_modified(con, plan.touched)
    return plan


def plan_against(
    entries: Mapping[tuple[str, date], Mapping[str, list[FileEntry]]],
    landing: Path,
    reload: frozenset[str] = frozenset(),
    known: Collection[tuple[str, str]] = (),
    bundled: Path | None = None,
    clock: Clock = system_clock,
    limits: ReleaseLimits = LIMITS,
) -> Plan:
    """Compare the landed releases with the ledger's entries; see `make_plan`.

    A file is read only if its size or time differs from the ledger's. known: names and states
    (`release_state`) of releases that were compared with the ledger before.
    """
    plan = Plan()
    if not landing.is_dir():
        plan.problems.append(
            BadInput(
                "no landing folder",
                where=str(landing),
                expected="a folder <source>/<release>/<file>",
                found="nothing there",
                fix="set ROYALTY_LANDING_DIR, or create the folder",
            )
        )
        return plan
    sources = all_sources()
    found = set()
    plan.folders_without_source = sorted(
        folder.name
        for folder in landing.iterdir()
        if folder.is_dir() and folder.name not in sources and not is_of_other_programs(folder.name)
    )
    for source in sources.values():
        releases, problems = releases_of(source, landing, bundled, clock, limits)
        plan.problems += problems
        plan.releases += releases
        for release in releases:
            found.add(release.name)
            entered = entries.get((release.source, release.date), {})
            _classify(plan, entered, release, release.name in reload, known, bundled)
            if plan.new[-1:] == [release] and "accepted" in entered:
                plan.replaced.add(release.name)
    plan.problems += map(_not_landed, sorted(reload - found))
    return plan


def _not_landed(name: str) -> BadInput:
    """Return the error for a release to reload that does not exist."""
    return BadInput(
        "the release to reload is missing",
        where=name,
        expected="<source>/<date> of a release in the landing folder",
        found="no such release",
        fix="`make status` lists the releases",
    )


def release_state(release: Release) -> str:
    """Return a digest of the names, sizes and times in a release's folder, hidden files included.

    It changes while the release is being copied, even if the tool writes to a temporary name.
    """
    return folder_state(release.files[0].parent)


def _classify(
    plan: Plan,
    entries: Mapping[str, list[FileEntry]],
    release: Release,
    reload: bool,
    known: Collection[tuple[str, str]],
    bundled: Path | None,
) -> None:
    accepted, rejected = entries.get("accepted", []), entries.get("rejected", [])
    if reload or entries.get("loaded") or not (accepted or rejected):
        plan.new.append(release)
        return
    files = {path: path.stat() for path in release.files}
    if rejected and _metadata_matches(files, rejected):
        plan.still_rejected.append((release, rejected[0].reason or ""))
    elif accepted and _metadata_matches(files, accepted):
        pass
    elif known and (release.name, release_state(release)) in known:
        plan.skipped.append(release)
    elif rejected and _bytes_match(plan, release, files, rejected):
        plan.still_rejected.append((release, rejected[0].reason or ""))
    elif not accepted:
        plan.new.append(release)
    elif _bytes_match(plan, release, files, accepted):
        pass
    elif _was_loaded_half_copied(files, accepted) or _is_bundled(release, accepted, bundled):
        plan.new.append(release)
    else:
        plan.problems.append(
            changed_bytes(release, {entry.file_name: entry.sha256 for entry in accepted})
        )


def _metadata_matches(files: Mapping[Path, os.stat_result], entries: list[FileEntry]) -> bool:
    """Whether names, sizes and times match the ledger's."""
    return {
        recorded_name(path): (stat.st_size, modified_at(stat)) for path, stat in files.items()
    } == {entry.file_name: (entry.bytes, entry.modified_at) for entry in entries}


def _was_loaded_half_copied(files: Mapping[Path, os.stat_result], entries: list[FileEntry]) -> bool:
    """Whether the ledger's bytes are a prefix of these files: they were loaded half-copied.

    If the release has several files, some may have been missing altogether.
    """
    now = {recorded_name(path): (path, stat.st_size) for path, stat in files.items()}
    return all(
        entry.file_name in now
        and now[entry.file_name][1] >= entry.bytes
        and file_sha256(now[entry.file_name][0], entry.bytes) == entry.sha256
        for entry in entries
    )


def _is_bundled(release: Release, entries: list[FileEntry], bundled: Path | None) -> bool:
    """Whether the ledger has the bundled release, which a landed one replaces."""
    folder = bundled and bundled / release.source / str(release.date)
    if not folder or not folder.is_dir():
        return False
    return {entry.file_name: entry.sha256 for entry in entries} == {
        recorded_name(path): file_sha256(path)
        for path in landed_release(release.source, folder).files
    }


def _bytes_match(
    plan: Plan,
    release: Release,
    files: Mapping[Path, os.stat_result],
    entries: list[FileEntry],
) -> bool:
    """Whether the bytes match the ledger's; if so, add the files to `plan.touched`."""
    sizes = {recorded_name(path): stat.st_size for path, stat in files.items()}
    if sizes != {entry.file_name: entry.bytes for entry in entries}:
        return False
    digests = {entry.file_name: entry.sha256 for entry in entries}
    if any(file_sha256(path) != digests[recorded_name(path)] for path in files):
        return False
    plan.touched += [
        (
            release.source,
            release.date,
            recorded_name(path),
            digests[recorded_name(path)],
            modified_at(stat),
        )
        for path, stat in files.items()
    ]
    return True
