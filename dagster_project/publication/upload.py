"""Puts the live publication into object storage, for readers on other machines.

    publications/<publication>/   the published file, its downloads, and their signatures
    current.json                  the current publication: its objects, with the SHA-256 of each

Objects of a publication never change. Each is read back and compared before `current.json`, which
is small and replaced in one step, names them: an upload that is interrupted anywhere leaves the
last publication current, and the next one completes it. `current.json` is replaced only if it is
the one that was read at the start, and names a publication that this warehouse knows: a second
warehouse below the same URL is refused.
"""

import contextlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import PUBLISHED_FILE, Settings
from dagster_project.publication.exports import DESCRIPTOR, exports_of
from dagster_project.publication.kept_files import (
    kept_id,
    kept_publications,
    live_file,
    publications_in,
    refuse_if_unpublished,
)
from dagster_project.publication.object_store import Objects
from dagster_project.publication.records import stated_sha256
from dagster_project.publication.signature import signature_file
from dagster_project.workbench.connection import open_workbench

CURRENT = "current.json"
PUBLICATIONS = "publications"

_ID = re.compile(r"\d{8}T\d{9}")
_GLANCE_SECONDS = 5


@dataclass(frozen=True)
class StoredFile:
    """An object of a publication, as `current.json` states it. path: from the URL."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Upload:
    """What an upload did.

    stored: objects that it wrote. pruned: publications that it deleted.
    """

    publication_id: str
    url: str
    objects: int
    bytes: int
    stored: list[str]
    pruned: list[str]


@dataclass(frozen=True)
class LiveFiles:
    """The files of the live publication, by the objects that they become, in order of path."""

    publication_id: str
    published_at: datetime
    files: dict[StoredFile, Path]

    @property
    def folder(self) -> str:
        """The folder of its objects."""
        return f"{PUBLICATIONS}/{self.publication_id}"

    @property
    def stated(self) -> list[dict[str, Any]]:
        """The objects as `current.json` states them."""
        return [asdict(file) for file in self.files]

    @classmethod
    def of(cls, settings: Settings) -> "LiveFiles":
        """Return them with the SHA-256 that were recorded when they were published.

        Raises BadInput if nothing is published, or it cannot be read.
        """
        refuse_if_unpublished(settings, "upload")
        kept = live_file(settings)
        identity, published_at, *_ = publications_in(kept)[-1]
        local, recorded = {PUBLISHED_FILE: kept}, {PUBLISHED_FILE: stated_sha256(kept)}
        if signature_file(kept).exists():
            local[signature_file(Path(PUBLISHED_FILE)).name] = signature_file(kept)
        downloads = exports_of(settings, identity)
        if downloads.is_dir():
            local |= {path.name: path for path in downloads.iterdir()}
            package = json.loads((downloads / DESCRIPTOR).read_bytes())
            recorded |= {
                each["path"]: each["hash"].removeprefix("sha256:") for each in package["resources"]
            }
        files = {
            StoredFile(
                f"{PUBLICATIONS}/{identity}/{name}",
                path.stat().st_size,
                recorded.get(name) or file_sha256(path),
            ): path
            for name, path in sorted(local.items())
        }
        return cls(identity, published_at, files)


def upload(settings: Settings, *, force: bool = False) -> Upload:
    """Make the live publication the current one in object storage.

    Objects that are there already, with the right bytes, stay; so nothing is written if all are.
    force: read every object again, and replace a publication of another warehouse. The caller
    holds the write lock. Raises TryLater if the store does not answer, BadInput if it refuses or
    there is nothing to upload.
    """
    live = LiveFiles.of(settings)
    objects = Objects.open(settings, create=True)
    found = objects.read(CURRENT)
    before = _parsed(found and found[0], objects.url, force=force)
    if before and not force:
        _refuse_if_foreign(settings, before)
    pointer = _pointer(live, before)
    content = (json.dumps(pointer, indent=2) + "\n").encode()
    is_current = found is not None and found[0] == content
    stored = _store(objects, live, trusted=is_current and not force)
    if not is_current and not objects.replace(CURRENT, content, found and found[1]):
        raise _foreign(settings, f"{CURRENT} was replaced during the upload")
    needed = {live.publication_id, pointer["previous"]}
    pruned = _prune(objects, settings.keep_publications, needed)
    total = sum(file.bytes for file in live.files)
    return Upload(live.publication_id, objects.url, len(live.files), total, stored, pruned)


def is_uploaded(settings: Settings) -> bool:
    """Whether the live publication is current in object storage, with all its objects.

    Lists them; `make verify` reads them. False if the store does not answer: an upload says why.
    """
    try:
        live = LiveFiles.of(settings)
        objects = Objects.open(settings, _GLANCE_SECONDS)
        current = _read_current(objects)
        if current is None or current["files"] != live.stated:
            return False
        sizes = {file.path: file.bytes for file in live.files}
        return objects.sizes(live.folder) == sizes
    except BadInput:
        return False


def stored_publication(settings: Settings) -> str | None:
    """Return the publication that is current in object storage; None if there is none.

    Raises BadInput, within seconds, if the store does not answer.
    """
    current = _read_current(Objects.open(settings, _GLANCE_SECONDS))
    return str(current["publication"]) if current else None


def upload_errors(settings: Settings) -> list[str]:
    """Return how the current publication in object storage differs from the live one.

    Reads every object. Raises BadInput if the store does not answer.
    """
    live, objects = LiveFiles.of(settings), Objects.open(settings)
    current = _read_current(objects)
    if current is None or current["publication"] != live.publication_id:
        there = current["publication"] if current else "none"
        return [f"{CURRENT} names {there}, not {live.publication_id}: run `make upload`"]
    stated = {file.path: file for file in live.files}
    problems = []
    if current["files"] != live.stated:
        problems.append(f"{CURRENT} does not state the files as published")
    sizes = objects.sizes(live.folder)
    for path in sorted(stated.keys() | sizes.keys()):
        if path not in sizes:
            problems.append(f"{path} is missing in object storage")
        elif path not in stated:
            problems.append(f"{path} in object storage is not the publication's")
        elif sizes[path] != stated[path].bytes or not _is_as_published(objects, stated[path]):
            problems.append(f"{path} in object storage is not as published")
    return problems


def _store(objects: Objects, live: LiveFiles, *, trusted: bool) -> list[str]:
    """Write the objects that are missing or wrong, and return their paths.

    trusted: `current.json` names them, so they were right: only their sizes are compared.
    """
    sizes = objects.sizes(live.folder)
    stored = []
    for file, path in live.files.items():
        has_size = sizes.get(file.path) == file.bytes
        if not (has_size and (trusted or _is_as_published(objects, file))):
            _put(objects, file, path)
            stored.append(file.path)
    return stored


def _put(objects: Objects, file: StoredFile, path: Path) -> None:
    """Write one object, and read it back. Raises BadInput if it is not as published."""
    objects.put(file.path, path)
    found = objects.sha256(file.path, file.bytes)
    if found != file.sha256:
        raise BadInput(
            "an uploaded file is not as published",
            where=f"{objects.url}/{file.path}",
            expected=f"SHA-256 {file.sha256}",
            found=f"SHA-256 {found}",
            fix="run `make verify`: if the local file is whole, the store has damaged it; then"
            " `make upload`",
        )


def _is_as_published(objects: Objects, file: StoredFile) -> bool:
    return objects.sha256(file.path, file.bytes) == file.sha256


def _pointer(live: LiveFiles, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the content of `current.json`; the same if it names this publication already."""
    previous = before and before["publication"]
    if before and previous == live.publication_id:
        previous = before.get("previous")
    return {
        "publication": live.publication_id,
        "published_at": f"{live.published_at.isoformat()}Z",
        "previous": previous,
        "files": live.stated,
    }


def _read_current(objects: Objects) -> dict[str, Any] | None:
    found = objects.read(CURRENT)
    return _parsed(found and found[0], objects.url)


def _parsed(content: bytes | None, url: str, *, force: bool = False) -> dict[str, Any] | None:
    """Return what `current.json` says. Raises BadInput if it is not one; then None with `force`."""
    if content is None:
        return None
    try:
        current = json.loads(content)
        if isinstance(current["publication"], str) and isinstance(current["files"], list):
            return dict(current)
    except (ValueError, KeyError, TypeError):
        pass
    if force:
        return None
    raise BadInput(
        f"{CURRENT} is not one that this project writes",
        where=f"{url}/{CURRENT}",
        expected="a JSON object with publication, published_at, previous and files",
        found=content[:100].decode("utf-8", "replace"),
        fix="if nothing else uses this URL, replace it with `make upload FORCE=1`; otherwise set"
        " another ROYALTY_PUBLISH_URL",
    )


def _refuse_if_foreign(settings: Settings, current: dict[str, Any]) -> None:
    """Raise BadInput if the current publication in the store is not one of this warehouse."""
    known = {kept_id(kept) for kept in kept_publications(settings)}
    known |= {row[0] for row in publications_in(live_file(settings))}
    if current["publication"] in known:
        return
    with contextlib.suppress(BadInput, duckdb.Error), open_workbench(settings) as con:
        known |= {
            name
            for (name,) in con.execute("select publication_id from audit.publication").fetchall()
        }
    if current["publication"] not in known:
        raise _foreign(settings, f"publication {current['publication']}, not in this ledger")


def _foreign(settings: Settings, found: str) -> BadInput:
    return BadInput(
        "another warehouse publishes there",
        where=f"{settings.publish_url}/{CURRENT}",
        expected="the last publication that this warehouse has put there",
        found=found,
        fix="set a ROYALTY_PUBLISH_URL of its own for each warehouse. If the other one is gone,"
        " replace its publication with `make upload FORCE=1`",
    )


def _prune(objects: Objects, keep: int, needed: set[str | None]) -> list[str]:
    """Delete all but the newest publications, and return them.

    needed: stay, whatever their age: the current one, and the one before it, which readers may
    still have open.
    """
    found = filter(_ID.fullmatch, objects.folders(PUBLICATIONS))
    old = [name for name in sorted(found, reverse=True)[keep:] if name not in needed]
    for name in old:
        _delete(objects, name)
    return old


def _delete(objects: Objects, publication: str) -> None:
    objects.delete(list(objects.sizes(f"{PUBLICATIONS}/{publication}")))
