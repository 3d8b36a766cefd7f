"""Permissions of the warehouse's files: the owner's alone, except for published files.

Neither depends on the umask under which a program was started.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OTHERS, _OTHERS_WRITE = 0o077, 0o022
_PUBLIC_FILE, _PUBLIC_FOLDER = 0o644, 0o755


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
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
    except FileNotFoundError:
        return


def refuse_writes(path: Path) -> None:
    """Take the right to write from everybody but the owner; who may read stays as it is."""
    found = path.stat()
    if found.st_mode & _OTHERS_WRITE and _is_ours(found):
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS_WRITE)


def public_folder(path: Path) -> None:
    """Create a folder that everybody may list, with its parents; an existing one stays as it is."""
    if not path.is_dir():
        public_folder(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(_PUBLIC_FOLDER)


def make_readable(folder: Path) -> None:
    """Let everybody read a folder that is about to be published, and no one else write to it."""
    for parent, _, names in os.walk(folder):
        os.chmod(parent, _PUBLIC_FOLDER)
        for name in names:
            os.chmod(os.path.join(parent, name), _PUBLIC_FILE)


def like(path: Path, folder: Path) -> None:
    """Give a folder, and the files in it, the permissions of another; never to write for all."""
    mode = stat.S_IMODE(folder.stat().st_mode) & ~stat.S_IWOTH
    for file in path.iterdir():
        if file.is_file() and not file.name.startswith("."):
            file.chmod(mode & 0o666)
    path.chmod(mode)


def _is_ours(found: os.stat_result) -> bool:
    return os.geteuid() in (0, found.st_uid)
