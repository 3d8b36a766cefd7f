"""Digests of files and folders, to detect changes."""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from mmap import mmap
from pathlib import Path

# Larger than the blocks of `hashlib.file_digest`: between blocks a thread waits for the interpreter
# lock, and a bulk file is hashed while another thread searches it.
BLOCK_BYTES = 1 << 22


def file_sha256(path: Path | int, size: int | None = None) -> str:
    """Return the SHA-256 of a file's bytes, or of its first `size` bytes, as lower-case hex.

    path: or an open descriptor, which stays open.
    """
    digest = hashlib.sha256()
    # An anonymous map is aligned to a page; a bytearray of this size starts 16 bytes into one. On
    # AMD, reads into memory that starts 1 to 31 bytes into a page take four times as long.
    keep_open = isinstance(path, int)
    with (
        open(path, "rb", buffering=0, closefd=not keep_open) as file,
        mmap(-1, BLOCK_BYTES) as block,
    ):
        while read := file.readinto(block):
            with memoryview(block) as view:
                digest.update(view[: read if size is None else min(read, size)])
            if size is not None and (size := size - read) <= 0:
                break
    return digest.hexdigest()


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, as lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def tree_sha256(roots: Iterable[Path], suffixes: frozenset[str]) -> str:
    """Return one SHA-256 of the names and bytes of all files with these suffixes below `roots`."""
    digest = hashlib.sha256()
    for root in roots:
        files = [root] if root.is_file() else sorted(root.rglob("*"))
        for path in files:
            # dbt writes generated files into its `target`; a folder of models may have that name.
            if path.suffix in suffixes and (root / "target") not in path.parents:
                digest.update(f"{path.relative_to(root.parent).as_posix()}\0".encode())
                digest.update(bytes.fromhex(file_sha256(path)))
    return digest.hexdigest()


def last_change(folder: Path) -> float:
    """Return when anything in a folder last changed (POSIX time), hidden files included.

    A copy may give a file its old modification time at the end; its inode changes even then.
    """
    stats = _states(folder).values()
    return max((max(stat.st_mtime, stat.st_ctime) for stat in stats), default=0)


def folder_state(folder: Path) -> str:
    """Return a digest of the names, sizes and times in a folder, without reading any file."""
    stats = sorted(_states(folder).items())
    state = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def _states(folder: Path) -> dict[str, os.stat_result]:
    """Return what is in a folder, links as such, except what vanishes meanwhile."""
    states = {}
    with os.scandir(folder) as found:
        for entry in found:
            with suppress(FileNotFoundError):
                states[entry.name] = entry.stat(follow_symlinks=False)
    return states
