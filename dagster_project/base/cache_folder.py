"""The folder for files that can be made again: dbt's manifest, column lineage.

The checkout may be read-only, or another user's. So the folder is `ROYALTY_CACHE_DIR`, else the
first of these that the user can write to: `.cache/` in the checkout, `cache/` in `DAGSTER_HOME`,
the user's own cache folder, a temporary folder that ends with the process.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import PROJECT_ROOT, from_project_root

SETTING = "ROYALTY_CACHE_DIR"
_PRIVATE = 0o700


def cache_folder(name: str, project: Path = PROJECT_ROOT) -> Path:
    """Return a folder of the cache, which exists and belongs to the user alone.

    project: the folder that the contents are made from: copies of the project share nothing.
    Raises BadInput if `ROYALTY_CACHE_DIR` is set and cannot be written to.
    """
    name = f"{name}-{hashlib.sha256(os.fsencode(project)).hexdigest()[:8]}"
    if (named := os.environ.get(SETTING, "")).strip():
        folder = from_project_root(Path(named), SETTING) / name
        try:
            _create(folder)
        except OSError as error:
            raise BadInput(
                "a cache folder that may not be written to",
                where=str(folder),
                expected=f"{SETTING} is a folder of the user who runs this",
                found=str(error),
                fix=f"set {SETTING} to another folder, or unset it",
            ) from error
        return folder
    for folder in _defaults():
        try:
            _create(folder / name)
        except OSError:
            continue
        return folder / name
    return _temporary_folder(name)


def _defaults() -> Iterator[Path]:
    yield PROJECT_ROOT / ".cache"
    if home := os.environ.get("DAGSTER_HOME"):
        yield PROJECT_ROOT / home / "cache"
    own = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    if own.is_absolute():  # else the user has no home
        yield own / "royalty-flows"


def _create(folder: Path) -> None:
    """Create a private folder. Raises OSError if the user cannot write to it, or another can."""
    folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    if os.name == "posix" and folder.stat().st_uid not in (os.geteuid(), 0):
        raise PermissionError(f"{folder} belongs to another user")
    with suppress(OSError):  # a file system without permissions
        folder.chmod(_PRIVATE)
    tempfile.TemporaryFile(dir=folder).close()


@cache
def _temporary_folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"royalty-flows-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
