"""The kept publications, one file each, and the live one among them."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from dagster_project.base.durable_files import replace_file, sync
from dagster_project.base.errors import BadInput
from dagster_project.base.private_files import set_mode
from dagster_project.base.settings import Settings
from dagster_project.publication.exports import activate_exports
from dagster_project.publication.requirements import required
from dagster_project.publication.signature import activate_signature, signature_file
from dagster_project.workbench.ledger_schema import TICK

_SECOND = 10**9  # in nanoseconds


@dataclass(frozen=True)
class Publication:
    """The contents of a publication."""

    publication_id: str
    published_at: datetime
    gates: int
    bytes: int
    tables: int
    rows: int


def kept_publications(settings: Settings) -> list[Path]:
    """Return the kept publications, newest first."""
    return sorted(settings.publications.glob("royalty_flows-*.duckdb"), reverse=True)


def old_publications(settings: Settings) -> list[Path]:
    """Return the publications beyond the number to keep; never the live one."""
    live = kept_and_live(settings)
    return [old for old in kept_publications(settings)[settings.keep_publications :] if old != live]


def kept_id(kept: Path) -> str:
    """Return the id of a kept publication, from its file name."""
    return kept.stem.removeprefix("royalty_flows-")


def publication_time(identity: str) -> datetime:
    """Return when a publication was made, in UTC. Raises ValueError if this is no id of one."""
    return datetime.strptime(identity, "%Y%m%dT%H%M%S%f")


def later_than_kept(settings: Settings, moment: datetime) -> datetime:
    """Return a time, or a tick after the last kept publication: the newest has the last id, even if
    the clock was set back, and the ledger does not know of those before.
    """
    times = [moment]
    for kept in kept_publications(settings):
        with suppress(ValueError):  # a person's copy, with a name of its own
            times.append(publication_time(kept_id(kept)) + TICK)
    return max(times)


def sha256_file(kept: Path) -> Path:
    """Return the file with the SHA-256 of a kept publication, beside it."""
    return Path(f"{kept}.sha256")


def remove_publication(kept: Path) -> None:
    """Delete a kept publication and what is beside it."""
    kept.unlink()
    sha256_file(kept).unlink(missing_ok=True)
    signature_file(kept).unlink(missing_ok=True)


def publication_id(settings: Settings) -> str | None:
    """Return the id of the live publication; None if there is none, or it cannot be read.

    The published file is a hard link to a kept one, so no file needs to be opened, except in a
    folder that was copied or restored, or on a file system without hard links.
    """
    if not settings.warehouse.exists():
        return None
    if kept := _same_file(settings):
        return kept_id(kept)
    try:
        return publications_in(settings.warehouse)[-1][0]
    except (BadInput, IndexError):
        return None


def refuse_if_unpublished(settings: Settings, purpose: str) -> None:
    """Raise BadInput if nothing is published. purpose: what the caller wants to do."""
    if not settings.warehouse.exists():
        raise BadInput(
            f"nothing to {purpose}",
            where=str(settings.warehouse),
            expected="the published file",
            found="no such file",
            fix="publish one with `make run`",
        )


def live_file(settings: Settings) -> Path:
    """Return the kept file that is live, which is never replaced; else the published file."""
    return _same_file(settings) or settings.warehouse


def kept_and_live(settings: Settings) -> Path | None:
    """Return the kept file of the live publication, which may be a copy of the published file."""
    live = publication_id(settings)
    return next((kept for kept in kept_publications(settings) if kept_id(kept) == live), None)


def is_copy(live: Path, kept: Path) -> bool:
    """Whether the published file can be the copy of a kept one that a publication made.

    A copy has its time, which some file systems cut off to two seconds; so whoever needs to be sure
    compares the bytes as well.
    """
    found, wanted = live.stat(), kept.stat()
    apart = abs(found.st_mtime_ns - wanted.st_mtime_ns)
    is_cut_off = 0 in (found.st_mtime_ns % _SECOND, wanted.st_mtime_ns % _SECOND)
    return found.st_size == wanted.st_size and apart <= (2 * _SECOND if is_cut_off else 0)


def _same_file(settings: Settings) -> Path | None:
    same = (kept for kept in kept_publications(settings) if kept.samefile(settings.warehouse))
    return next(same, None)


def publications_in(path: Path) -> list[tuple]:
    """Return the rows of `audit.publication` in a publication's file, its own last.

    Raises BadInput if the file cannot be read.
    """
    try:
        with duckdb.connect(path, read_only=True) as con:
            return con.execute("from audit.publication order by published_at").fetchall()
    except duckdb.Error as error:
        raise BadInput(
            "the published file cannot be read",
            where=str(path),
            expected="a DuckDB file that no other process has open for writing",
            found=str(error).splitlines()[0],
            fix="close the client that has it open for writing. If the file is damaged, activate"
            " another publication with `make rollback`; if none is kept, delete it and `make run`",
        ) from error


def read_publication(kept: Path) -> Publication:
    """Return the contents of a kept publication, from its table of checksums.

    Raises BadInput if it cannot be read.
    """
    identity, published_at, *_ = publications_in(kept)[-1]
    with duckdb.connect(kept, read_only=True) as con:
        others, rows = con.execute(
            "select count(*), sum(row_count)::bigint from audit.checksums"
        ).fetchall()[0]
    gates, size = len(required().tables), kept.stat().st_size
    return Publication(identity, published_at, gates, size, others + 1, rows + others)


def activate(settings: Settings, kept: Path) -> None:
    """Make a kept publication the published file: a second name, or where the file system has no
    hard links a copy, renamed over the old one.

    Its downloads go live with it.
    """
    set_mode(kept, 0o444)  # a client that forgets to ask for read-only cannot change it
    settings.readers.may_read(kept)
    activate_signature(settings, kept)  # just before the file: the kept ones always agree
    replace_file(settings.warehouse, kept)
    activate_exports(settings, kept_id(kept))
    sync(settings.publications)
    sync(settings.warehouse_dir)
