"""Files that survive a power failure, and links that change in one step."""

import os
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


def replace_hard_link(path: Path, file: Path) -> None:
    """Make `path` a hard link to a file, in one step, replacing whatever was there."""
    fresh = _fresh(path)
    os.link(file, fresh)
    os.replace(fresh, path)


def replace_symlink(path: Path, target: str | Path) -> None:
    """Make `path` a symlink to a folder, in one step; `target` is relative to the link's folder."""
    fresh = _fresh(path)
    fresh.symlink_to(target, target_is_directory=True)
    os.replace(fresh, path)


def _fresh(path: Path) -> Path:
    """Return the name under which a replacement is prepared; a crash may have left one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    return fresh
