"""Lock files that no other user of the machine can hold."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from dagster_project.base.private_files import private_files, set_mode

_OTHERS = 0o077


@contextmanager
def private_lock(path: Path, timeout: float) -> Iterator[None]:
    """Hold a lock in the owner's folder. The operating system frees it when the process dies.

    Re-entrant within a process. Raises filelock.Timeout after `timeout` seconds.
    """
    # Its own way to set the mode fails where there are no permissions.
    lock = FileLock(path, is_singleton=True, thread_local=False)
    with private_files():
        if not lock.is_locked:
            _free_from_neighbours(path)
        lock.acquire(timeout=timeout)
    try:
        yield
    finally:
        lock.release()


def _free_from_neighbours(path: Path) -> None:
    """Delete a lock file that another user may have opened, and so could hold forever.

    That is one that is not the owner's, or that others may open. It stays, closed to others, if a
    process of the owner's holds it.
    """
    with suppress(FileNotFoundError):
        found = path.lstat()
        owners = {os.geteuid(), path.parent.stat().st_uid}
        is_plain = stat.S_ISREG(found.st_mode) and found.st_uid in owners
        if is_plain and not (found.st_mode & _OTHERS and _has_permissions(path.parent)):
            return
        if stat.S_ISREG(found.st_mode) and _holders(found.st_ino) & {0, *owners}:
            if is_plain:
                set_mode(path, 0o600)
        else:
            path.unlink()


def _has_permissions(folder: Path) -> bool:
    """Whether the file system of a folder has permissions: a private file then is private."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as probe:
        return not os.fstat(probe.fileno()).st_mode & _OTHERS


def _holders(inode: int) -> set[int]:
    """Return the users whose processes hold a lock on a file; only Linux lists them."""
    users = set()
    with suppress(OSError):
        for line in Path("/proc/locks").read_text("ascii", "replace").splitlines():
            # 1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234567 0 EOF
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
                users |= _user_of(fields[4])
    return users


def _user_of(process: str) -> set[int]:
    """Return the real user of a process: the owner of `/proc/<id>` can be disguised as root."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text("utf-8", "replace").splitlines():
            if line.startswith("Uid:"):
                return {int(line.split()[1])}
    return set()
