"""Verifies the published file, read-only: `make verify`.

Everything comes from files that a reader can open: the published file and what is beside it. The
ledger is compared as well where it can be read.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import Settings
from dagster_project.publication.catalog import catalog_errors, unsafe_objects
from dagster_project.publication.exports import DESCRIPTOR, exports_of
from dagster_project.publication.integrity import integrity_errors
from dagster_project.publication.kept_files import (
    is_copy,
    kept_and_live,
    kept_publications,
    live_file,
    publications_in,
    refuse_if_unpublished,
    sha256_file,
)
from dagster_project.publication.records import stated_sha256
from dagster_project.publication.sealed_file import write_ahead_log
from dagster_project.publication.signature import signature_errors, signature_file, verify_key
from dagster_project.publication.upload import upload_errors
from dagster_project.transform.build_fingerprint import fingerprint_of
from dagster_project.workbench.connection import read_workbench
from dagster_project.workbench.publications import published_sha256
from dagster_project.workbench.releases import accepted_files

_LOOKS, _PAUSE_SECONDS = 3, 0.2


@dataclass
class Verification:
    """What was verified, by subject, and the problems that were found."""

    checked: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def verify(settings: Settings) -> Verification:
    """Verify the live publication: its file, tables, objects, gates, downloads and signature.

    A publication that goes live meanwhile does not matter: the file that was live is verified.
    Raises BadInput if there is none, if it cannot be read, or if the public key is unusable.
    """
    key = verify_key(settings)
    refuse_if_unpublished(settings, "verify")
    path = live_file(settings)
    identity, *_, fingerprint = publications_in(path)[-1]
    done = Verification({"publication": identity})
    kept = path
    if path == settings.warehouse and kept_publications(settings):
        if (copied_from := kept_and_live(settings)) and is_copy(path, copied_from):
            kept = copied_from
        else:
            done.problems.append("the published file is not one of the kept publications")
    if write_ahead_log(path).exists() or write_ahead_log(settings.warehouse).exists():
        done.problems.append("a write-ahead log is beside the file: DuckDB would apply it")
    recorded = dict(_recorded(settings, kept, identity, done))
    sha256 = file_sha256(path)
    done.checked["file"] = f"{path}, SHA-256 {sha256}"
    done.problems += [
        f"the SHA-256 of the file is {sha256}; {where} has {stated}"
        for where, stated in recorded.items()
        if stated != sha256
    ]
    done.checked["SHA-256 in"] = ", ".join(recorded) or "nothing"
    done.problems += integrity_errors(path)
    done.checked["tables"] = "row counts, checksums and gates"
    done.checked["objects"] = _verify_objects(path, fingerprint, done)
    done.checked["downloads"] = _verify_downloads(settings, identity, done)
    if key:
        done.problems += signature_errors(key, path, identity)
        package = exports_of(settings, identity) / DESCRIPTOR
        done.problems += signature_errors(key, package, identity) if package.exists() else []
        done.problems += _stale_signature(settings, kept)
        done.checked["signature"] = "with the public key of ROYALTY_VERIFY_KEY"
    else:
        is_signed = signature_file(kept).exists()
        done.checked["signature"] = "NOT VERIFIED: set ROYALTY_VERIFY_KEY" if is_signed else "none"
    if settings.publish_url:
        done.problems += upload_errors(settings)
        done.checked["object store"] = f"{settings.publish_url}, SHA-256 of each object"
    if not recorded and not key:
        done.problems.append("the SHA-256 of the file was not recorded, and no key is set")
    return done


def _stale_signature(settings: Settings, path: Path) -> list[str]:
    """Return whether the signature beside the published file is another than the kept one.

    It goes live a moment before the file, so one difference is not a problem.
    """
    beside = signature_file(settings.warehouse)
    for _ in range(_LOOKS):
        is_live = live_file(settings) in (path, settings.warehouse)
        if not is_live or _bytes(beside) == _bytes(signature_file(path)):
            return []
        time.sleep(_PAUSE_SECONDS)
    return [f"{beside.name} is not the signature of the live publication"]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _recorded(
    settings: Settings, kept: Path, identity: str, done: Verification
) -> Iterator[tuple[str, str]]:
    """Yield the places that have the SHA-256 of the file, with what they have."""
    if stated := stated_sha256(kept):
        yield sha256_file(kept).name, stated
    package = exports_of(settings, identity) / DESCRIPTOR
    if package.exists():
        database = json.loads(package.read_bytes()).get("database", {})
        if digest := database.get("hash", "").removeprefix("sha256:"):
            yield DESCRIPTOR, digest
    if not os.access(settings.workbench, os.R_OK):
        done.checked["ledger"] = "not compared: only the operator can read it"
        return
    try:
        with read_workbench(settings) as con:
            in_ledger = published_sha256(con, identity)
    except (BadInput, OSError, duckdb.Error) as error:
        done.checked["ledger"] = f"not compared: {error}"
        return
    if in_ledger:
        yield "the ledger", in_ledger


def _verify_objects(path: Path, fingerprint: str, done: Verification) -> str:
    with duckdb.connect(path, read_only=True) as con:
        is_this_version = fingerprint_of(accepted_files(con)) == fingerprint
    if is_this_version:
        done.problems += catalog_errors(path)
        return "schemas, tables, columns, comments and macros are the project's"
    done.problems += unsafe_objects(path)
    return "no view, scalar macro or other object; another version of the project made the rest"


def _verify_downloads(settings: Settings, identity: str, done: Verification) -> str:
    folder = exports_of(settings, identity)
    if not folder.is_dir():
        return "none"
    package = json.loads((folder / DESCRIPTOR).read_bytes())
    if package["version"] != identity:
        done.problems.append(f"{DESCRIPTOR} is of publication {package['version']}")
    stated = {each["path"]: each["hash"] for each in package["resources"]}
    found = {
        each.name: f"sha256:{file_sha256(each)}"
        for each in folder.iterdir()
        if each.name not in (DESCRIPTOR, signature_file(Path(DESCRIPTOR)).name)
    }
    done.problems += [
        f"the download {name} is not as published"
        for name in sorted(stated.keys() | found.keys())
        if stated.get(name) != found.get(name)
    ]
    return f"{len(stated)} files, SHA-256 of each"
