"""Permissions of the warehouse's files: the owner's alone, except for published files.

Neither depends on the umask under which a program was started. On a file system without permissions
they stay as they are.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dagster_project.base.errors import BadInput

_OTHERS, _OTHERS_WRITE = 0o077, 0o022
_GROUP_ONLY = 0o770
_READ, _LIST = 0o444, 0o555
_PUBLIC_FOLDER = 0o755
_NOT_SUPPORTED = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


@dataclass(frozen=True)
class Readers:
    """Who may read published files: everybody, or a group, by its number."""

    group: int | None = None

    def may_read(self, path: Path) -> None:
        """Let them read a file, or a folder with all in it, and only the owner write to it.

        A folder that they may read is not looked into, and what vanishes meanwhile is left alone.
        Raises BadInput if the owner may not give it to the group.
        """
        try:
            self._open(path, path.lstat())
        except FileNotFoundError:
            return

    def _open(self, path: Path, found: os.stat_result) -> None:
        if stat.S_ISLNK(found.st_mode) or not _is_ours(found):
            return
        is_folder = stat.S_ISDIR(found.st_mode)
        wanted = found.st_mode & (stat.S_IRWXU | stat.S_ISGID) | (_LIST if is_folder else _READ)
        if self.group is not None:
            wanted &= stat.S_ISGID | _GROUP_ONLY
        if stat.S_IMODE(found.st_mode) == wanted and self.group in (None, found.st_gid):
            return
        if is_folder:  # it is last: an interruption must not leave closed files in it
            for inner in path.iterdir():
                self.may_read(inner)
        self._give(path, found)
        set_mode(path, wanted)

    def may_enter(self, folder: Path) -> None:
        """Let them list a folder; what is in it stays as it is. Raises BadInput as above."""
        found = folder.stat()
        if _is_ours(found):
            self._give(folder, found)
            open_to = _LIST if self.group is None else _LIST & _GROUP_ONLY
            wanted = found.st_mode & (stat.S_IRWXU | stat.S_ISGID) | open_to
            if stat.S_IMODE(found.st_mode) != wanted:
                set_mode(folder, wanted)

    def _give(self, path: Path, found: os.stat_result) -> None:
        if self.group is None or self.group == found.st_gid:
            return
        try:
            os.chown(path, -1, self.group)
        except OSError as error:
            raise BadInput(
                "the published files cannot be given to the group of their readers",
                where=str(path),
                expected="ROYALTY_READ_GROUP names a group to which the user who runs this belongs",
                found=str(error),
                fix="add the user to that group and log in again, or set another group",
            ) from error


def private_by_default() -> None:
    """Make everything that this process and its children create private."""
    os.umask(_OTHERS)


@contextmanager
def private_files() -> Iterator[None]:
    """Make everything private that the process creates in this block."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def public_files() -> Iterator[None]:
    """Let everybody read what the process creates in this block."""
    before = os.umask(_OTHERS_WRITE)
    try:
        yield
    finally:
        os.umask(before)


def make_private(path: Path) -> None:
    """Take a file, or a folder with all in it, from everybody but the owner.

    A folder that is private already is not looked into. Links are not followed; what belongs to
    another user, and what vanishes meanwhile, is left alone.
    """
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or not found.st_mode & _OTHERS or not _is_ours(found):
            return
        if stat.S_ISDIR(found.st_mode):  # last: an interruption must not leave open files in it
            for inner in path.iterdir():
                make_private(inner)
        set_mode(path, stat.S_IMODE(found.st_mode) & ~_OTHERS)
    except FileNotFoundError:
        return


def refuse_writes(path: Path) -> None:
    """Take the right to write from everybody but the owner; who may read stays as it is."""
    found = path.stat()
    if found.st_mode & _OTHERS_WRITE and _is_ours(found):
        set_mode(path, stat.S_IMODE(found.st_mode) & ~_OTHERS_WRITE)


def public_folder(path: Path) -> None:
    """Create a folder that everybody may list, with its parents; an existing one stays as it is."""
    if not path.is_dir():
        public_folder(path.parent)
        path.mkdir(exist_ok=True)
        set_mode(path, _PUBLIC_FOLDER | path.stat().st_mode & stat.S_ISGID)


def set_mode(path: Path, mode: int) -> None:
    """Change a file's permissions, if it is on a file system that has any."""
    try:
        path.chmod(mode)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED or not _is_ours(path.stat()):
            raise


def like(path: Path, folder: Path) -> None:
    """Give a folder, and the files in it, the permissions of another; never to write for all."""
    mode = stat.S_IMODE(folder.stat().st_mode) & ~stat.S_IWOTH
    for file in path.iterdir():
        if file.is_file() and not file.name.startswith("."):
            set_mode(file, mode & 0o666)
    set_mode(path, mode)


def _is_ours(found: os.stat_result) -> bool:
    return os.geteuid() in (0, found.st_uid)
