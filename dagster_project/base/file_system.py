"""What a folder's file system must be able to do, tried at the start of a command that writes.

Hard links, symlinks and permissions are not needed; DuckDB and SQLite need locks as well.
"""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from dagster_project.base.durable_files import sync
from dagster_project.base.errors import BadInput
from dagster_project.base.private_files import public_folder

_FULL = {errno.ENOSPC, errno.EDQUOT}
_LACKING = {
    errno.EACCES,
    errno.EINVAL,
    errno.ENOLCK,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EXDEV,
}


def has_permissions(folder: Path, setting: str) -> bool:
    """Try a folder's file system, and return whether a file in it can be the owner's alone.

    setting: the name of the setting that chose the folder, which is created if it is missing.
    Raises OSError, with that name, if the user cannot write to the folder, and BadInput if the file
    system lacks something.
    """
    try:
        public_folder(folder)
        with TemporaryDirectory(dir=folder, prefix=".probe-") as probe:
            missing = [what for what, can in _NEEDED.items() if not _try(can, Path(probe))]
            mode = stat.S_IMODE(os.stat(probe).st_mode)
    except (FileExistsError, NotADirectoryError) as error:
        raise BadInput(
            "a folder that may not be written to",
            where=str(folder),
            expected=f"{setting} is a folder to which the user who runs this can write",
            found=str(error),
            fix=f"set {setting} to another folder",
        ) from error
    except OSError as error:
        if error.errno in _FULL:
            return True  # reported where there is something to write
        found = f"{error.strerror}; {setting} chose that folder"
        raise OSError(error.errno, found, str(folder)) from error
    if missing:
        raise BadInput(
            "a file system that lacks what a warehouse needs",
            where=str(folder),
            expected=", ".join(_NEEDED),
            found=f"no {', no '.join(missing)}",
            fix=f"set {setting} to a folder on a local disk",
        )
    return not mode & 0o077


def _try(can: Callable[[Path], bool], folder: Path) -> bool:
    try:
        return can(folder)
    except OSError as error:
        return error.errno not in _LACKING


def _locks(folder: Path) -> bool:
    if os.name != "posix":
        return True
    import fcntl

    path = folder / "lock"
    with path.open("w") as holder, path.open("w") as other:
        fcntl.lockf(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)  # DuckDB's and SQLite's
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _renames(folder: Path) -> bool:
    """Whether a reader keeps the old file, and the next one finds the new one."""
    live, fresh = folder / "live", folder / "fresh"
    live.write_text("old")
    fresh.write_text("new")
    with live.open() as reader:
        os.replace(fresh, live)
        return reader.read() == "old" and live.read_text() == "new"


def _flushes(folder: Path) -> bool:
    sync(folder)
    return True


_NEEDED = {
    "locks (flock, fcntl)": _locks,
    "rename over an open file": _renames,
    "fsync of a folder": _flushes,
}
