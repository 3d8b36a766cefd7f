"""What is to be loaded: the landing folder (and the packaged sources) against the ledger.

Imports neither Dagster nor dbt nor Great Expectations, so that a run with nothing new is quick.
"""

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project import ledger
from dagster_project.errors import BadInput
from dagster_project.fingerprint import file_sha256
from dagster_project.ingest.load import changed_bytes, modified_at
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release, Source, landed_releases


@dataclass
class Plan:
    """New releases to load, releases seen before that stay rejected, and what cannot be used."""

    new: list[Release] = field(default_factory=list)
    still_rejected: list[tuple[Release, str]] = field(default_factory=list)
    problems: list[BadInput] = field(default_factory=list)
    folders_without_source: list[str] = field(default_factory=list)


def releases_of(source: Source, landing: Path) -> tuple[list[Release], list[BadInput]]:
    """Return a source's releases, oldest first, and what is amiss with others.

    A packaged release is one among those that have landed. Of one date the landed one counts: a
    package that comes with the same day later must not replace what is in force.
    """
    landed, problems = (
        landed_releases(source.name, landing) if (landing / source.name).is_dir() else ([], [])
    )
    by_date = {release.date: release for release in landed}
    if source.packaged:
        packaged = source.packaged()
        by_date.setdefault(packaged.date, packaged)
    return sorted(by_date.values(), key=lambda release: release.date), problems


def find_release(source: Source, landing: Path, label: str) -> Release:
    """Return the release called `label` (its date). Raises BadInput."""
    releases, problems = releases_of(source, landing)
    for release in releases:
        if str(release.date) == label:
            return release
    for problem in problems:
        if problem.where.endswith(label):
            raise problem
    raise BadInput(
        "a release that is not there",
        where=f"{source.name} {label}",
        expected="one of " + (", ".join(str(release.date) for release in releases) or "none yet"),
        found="no such release",
        fix=f"put its files into {source.name}/{label}/ of the landing folder",
    )


def make_plan(
    con: duckdb.DuckDBPyConnection, landing: Path, reload: frozenset[str] = frozenset()
) -> Plan:
    """Compare what has landed with the ledger. `reload` names releases as `<source>/<date>`."""
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
        if folder.is_dir() and folder.name not in sources and folder.name[0] != "."
    )
    for source in sources.values():
        releases, problems = releases_of(source, landing)
        plan.problems += problems
        for release in releases:
            name = f"{release.source}/{release.date}"
            found.add(name)
            _sort_in(plan, con, release, name in reload)
    for name in sorted(reload - found):
        plan.problems.append(
            BadInput(
                "a release to be loaded again that is not there",
                where=name,
                expected="<source>/<date> of a release in the landing folder",
                found="no such release",
                fix="`make status` lists the releases",
            )
        )
    return plan


def _sort_in(plan: Plan, con: duckdb.DuckDBPyConnection, release: Release, reload: bool) -> None:
    entries = ledger.file_entries(con, release.source, release.date)
    accepted, rejected = entries.get("accepted", []), entries.get("rejected", [])
    if reload or entries.get("loaded") or not (accepted or rejected):
        plan.new.append(release)
    elif rejected and _same_files(release, rejected):
        plan.still_rejected.append((release, rejected[0].reason or ""))
    elif accepted and not _same_files(release, accepted):
        plan.problems.append(
            changed_bytes(release, {entry.file_name: entry.sha256 for entry in accepted})
        )
    elif not accepted:
        plan.new.append(release)


def _same_files(release: Release, entries: list[ledger.FileEntry]) -> bool:
    """Whether the files are the ledger's; a hash is taken only where the time differs."""
    known = {entry.file_name: entry for entry in entries}
    if known.keys() != {path.name for path in release.files}:
        return False
    for path in release.files:
        entry = known[path.name]
        if path.stat().st_size != entry.bytes:
            return False
        if modified_at(path) != entry.modified_at and file_sha256(path) != entry.sha256:
            return False
    return True
