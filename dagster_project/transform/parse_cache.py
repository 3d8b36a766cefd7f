"""The files that dbt's parser has made, kept for as long as all that they were made from.

A stamp beside them names what they were made from, and their digests: files of another state or
copy of the project, or of other versions, and truncated or exchanged ones are made again. They are
made in a folder of their own and renamed into place under a lock, so that processes may ask for
them at once.
"""

import json
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from dagster_project.base.hashing import file_sha256

MANIFEST, MSGPACK = "manifest.json", "partial_parse.msgpack"
_FILES = (MANIFEST, "semantic_manifest.json", MSGPACK)
_STAMP = "manifest.sha256"
_PARSERS = ("dbt-core", "dbt-common", "dbt-adapters", "dbt-duckdb", "dbt-semantic-interfaces")


def parser_versions() -> str:
    """Return the versions of all that takes part in parsing."""
    return " ".join([sys.version.split()[0], *(f"{name}={_version(name)}" for name in _PARSERS)])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def keep_parsed(target: Path, made_from: str, parse: Callable[[Path], None]) -> None:
    """Call `parse` with a folder for its files, unless the target has those of the same state.

    made_from: a text that changes with everything that the files depend on. What `parse` raises is
    raised; the target then has no stamp.
    """
    with FileLock(target / "parse.lock"):
        if _is_kept(target, made_from):
            return
        (target / _STAMP).unlink(missing_ok=True)
        with TemporaryDirectory(prefix="parse-", dir=target) as folder:
            made = Path(folder)
            parse(made)
            digests = {name: file_sha256(made / name) for name in _FILES}
            for name in _FILES:
                (made / name).replace(target / name)
        stamp = target / f"{_STAMP}.new"
        stamp.write_text(json.dumps({"made_from": made_from, "files": digests}), "utf-8")
        stamp.replace(target / _STAMP)


def _is_kept(target: Path, made_from: str) -> bool:
    try:
        stamp = json.loads((target / _STAMP).read_text("utf-8"))
        return stamp == {
            "made_from": made_from,
            "files": {name: file_sha256(target / name) for name in _FILES},
        }
    except (OSError, ValueError):  # none, of another version, or not a stamp
        return False
