"""A release's files as the warehouse's own: opened once, hashed as they are read.

Between the listing of a folder and the end of a load, anyone who may write to the landing folder
can exchange a file. So each is opened once, without following links, and everything after that uses
what was opened.
"""

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.hashing import BLOCK_BYTES, file_sha256
from dagster_project.sources.source import recorded_name

COPIED_BYTES = 256 << 20  # larger files are read in place, through the descriptor that was opened
_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class PrivateFile:
    """A raw file to read. path: below a private folder, with the name that the ledger has."""

    path: Path
    stat: os.stat_result
    descriptor: int | None
    digest: "Future[str]"

    @property
    def name(self) -> str:
        """The file's name, as the publisher gave it."""
        return self.path.name

    def raise_if_changed(self) -> None:
        """Raise TryLater if a file that is read in place has changed since it was opened."""
        if self.descriptor is not None:
            _raise_if_changed(self.name, self.stat, os.fstat(self.descriptor))


@contextmanager
def scratch_folder(home: Path | None) -> Iterator[Path]:
    """Make a folder for one load, and remove it; leftovers of a crash go first.

    home: a folder for it alone, of which there is one user at a time; None for the system's.
    """
    if home is not None:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix="royalty_load_", dir=home))  # 0700
    try:
        yield folder
    finally:
        shutil.rmtree(home or folder, ignore_errors=True)


@contextmanager
def private_files(paths: Sequence[Path], folder: Path) -> Iterator[list[PrivateFile]]:
    """Open a release's files and yield them, for the block, below a folder.

    Raises BadInput for a link or anything else that is not a file, TryLater for one that is missing
    or still being written.
    """
    folder.mkdir(mode=0o700)
    with ExitStack() as opened, ThreadPoolExecutor(1, "hash") as meanwhile:
        yield [
            _private_file(path, folder / recorded_name(path), opened, meanwhile) for path in paths
        ]


def _private_file(
    path: Path, target: Path, opened: ExitStack, meanwhile: ThreadPoolExecutor
) -> PrivateFile:
    with ExitStack() as stack:
        descriptor = _open(path)
        stack.callback(os.close, descriptor)
        before = os.fstat(descriptor)
        if before.st_size > COPIED_BYTES and _is_linked(target, descriptor):
            opened.push(stack.pop_all())
            return PrivateFile(target, before, descriptor, meanwhile.submit(file_sha256, target))
        copied: Future[str] = Future()
        copied.set_result(_copy(descriptor, target, before.st_size))
        _raise_if_changed(path.name, before, os.fstat(descriptor))
        return PrivateFile(target, before, None, copied)


def _is_linked(target: Path, descriptor: int) -> bool:
    """Make `target` a link to an open file, if the system and the file system know such links."""
    try:
        target.symlink_to(_DESCRIPTORS / str(descriptor))
    except OSError:
        return False
    if not target.exists():  # no /proc
        target.unlink()
        return False
    return True


def raw_file_sha256(path: Path) -> str:
    """Return the SHA-256 of a release's file, as `private_files` opens it."""
    descriptor = _open(path)
    try:
        return file_sha256(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """Open a regular file for reading; neither it nor its folder may be a link."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            # Without O_NONBLOCK, opening a pipe would wait for its writer.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(path.name, flags, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise _not_regular(path) from error
        if error.errno == errno.ENOENT:
            raise TryLater(
                "a file that is no longer there",
                where=f"{path.parent.name}/{path.name}",
                expected="the files that the release had when it was listed",
                found="no such file",
                fix="run again when the release is complete",
            ) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return descriptor


def _not_regular(path: Path) -> BadInput:
    return BadInput(
        "not a regular file",
        where=f"{path.parent.name}/{path.name}",
        expected="a raw file in a folder, neither of them a link",
        found="a link, a folder, a pipe or a device in its place",
        fix="replace it by the file itself (a hard link is fine), or remove it",
    )


def _copy(descriptor: int, target: Path, size: int) -> str:
    """Copy the first `size` bytes of an open file; return the SHA-256 of the copy."""
    digest = hashlib.sha256()
    with (
        open(descriptor, "rb", buffering=0, closefd=False) as file,
        target.open("xb") as copy,
        mmap(-1, BLOCK_BYTES) as block,
    ):
        while size > 0 and (read := file.readinto(block)):
            with memoryview(block) as view:
                digest.update(view[: min(read, size)])
                copy.write(view[: min(read, size)])
            size -= read
    return digest.hexdigest()


def _raise_if_changed(name: str, before: os.stat_result, after: os.stat_result) -> None:
    """Raise TryLater if a file has changed. `ctime` cannot be set, unlike the other times."""
    if (after.st_size, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_size,
        before.st_mtime_ns,
        before.st_ctime_ns,
    ):
        return
    raise TryLater(
        "a file that is still being written",
        where=name,
        expected=f"the {before.st_size:,} bytes it had when the load began",
        found=f"a change meanwhile; now {after.st_size:,} bytes",
        fix="wait until the file is complete, then run again; move complete files into place",
    )
