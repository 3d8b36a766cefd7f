"""Files that survive a power failure, and names that change in one step.

A rename is enough. Where a file system has no hard links or symlinks (exFAT, SMB, some mounts of a
container), files are copied instead; then a folder's name is missing for a moment as it changes.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk. Only POSIX can flush a folder."""
    if path.is_dir() and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Replace a text file in one step: readers see the old one or the new one."""
    fresh = _fresh(path)
    fresh.write_text(text, "utf-8")
    os.replace(fresh, path)


def replace_file(path: Path, file: Path) -> None:
    """Make `path` a second name of a file, or a copy, in one step, replacing whatever was there."""
    fresh = _fresh(path)
    link_or_copy(file, fresh)
    os.replace(fresh, path)


def replace_folder(path: Path, target: str) -> None:
    """Make `path` a symlink to a folder, in one step, or a copy of it.

    target: relative to the link's folder.
    """
    fresh, old = _fresh(path), path.with_name(f"{path.name}.old")
    remove(old)
    try:
        fresh.symlink_to(target, target_is_directory=True)
    except OSError:
        _copy_folder(path.parent / target, fresh)
    if os.path.lexists(path) and not (path.is_symlink() and fresh.is_symlink()):
        os.rename(path, old)  # a rename replaces no folder
    os.replace(fresh, path)
    remove(old)


def link_or_copy(file: Path, path: Path) -> None:
    """Give a file a second name, or, where that is not possible, copy it to disk."""
    try:
        os.link(file, path)
    except OSError:
        copy_file(file, path)
        with suppress(OSError):  # a file system without permissions or times
            shutil.copystat(file, path)
        sync(path)


def _copy_folder(folder: Path, path: Path) -> None:
    path.mkdir()
    for inner in folder.iterdir():
        (_copy_folder if inner.is_dir() else link_or_copy)(inner, path / inner.name)
    with suppress(OSError):
        shutil.copystat(folder, path)


def copy_file(file: Path, path: Path) -> None:
    """Copy a file's bytes, within the kernel where it can: some file systems share the blocks."""
    with open(file, "rb") as source, open(path, "wb") as target:
        left = os.fstat(source.fileno()).st_size
        with suppress(AttributeError, OSError):  # another file system, or none that knows it
            while left and (copied := os.copy_file_range(source.fileno(), target.fileno(), left)):
                left -= copied
        if left:
            os.lseek(source.fileno(), 0, os.SEEK_SET)
            os.lseek(target.fileno(), 0, os.SEEK_SET)
            shutil.copyfileobj(source, target, 1 << 22)


def _fresh(path: Path) -> Path:
    """Return the name under which a replacement is prepared; a crash may have left one."""
    fresh = path.with_name(f"{path.name}.new")
    remove(fresh)
    return fresh


def remove(path: Path) -> None:
    """Delete a file, a link, or a folder with all that is in it, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
