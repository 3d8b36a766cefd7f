"""The marker of a release folder that is complete: `.complete`, written last by whoever filled it.

It lists the files with their sizes, so that a copy of the folder is complete only when all of them
have arrived, in whatever order they are copied.
"""

import json
import os
from pathlib import Path

from dagster_project.base.durable_files import sync

MARKER = ".complete"  # ingest ignores names that begin with a dot


def mark_complete(folder: Path) -> None:
    """Write the marker. Nothing may be added or changed afterwards."""
    marker = folder / MARKER
    marker.write_text(json.dumps(_sizes(folder)), "utf-8")
    sync(marker)


def is_marked_complete(folder: Path) -> bool:
    """Whether the folder has exactly the marked files, and nothing changed after the marker."""
    try:
        marked = json.loads((folder / MARKER).read_text("utf-8"))
        changed = {entry.name: _changed(entry) for entry in os.scandir(folder)}
        return marked == _sizes(folder) and changed[MARKER] >= max(changed.values())
    except (OSError, ValueError):
        return False


def _sizes(folder: Path) -> dict[str, int]:
    with os.scandir(folder) as found:
        return {entry.name: entry.stat().st_size for entry in found if entry.name != MARKER}


def _changed(entry: os.DirEntry) -> int:
    """When a file, or its inode, last changed: a copy may give it its old modification time."""
    stat = entry.stat(follow_symlinks=False)
    return max(stat.st_mtime_ns, stat.st_ctime_ns)
