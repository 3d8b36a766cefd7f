"""Zip archives, unpacked within limits."""

import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile, is_zipfile

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import raise_if_machine_error
from dagster_project.base.safe_zip import DAMAGED, unpack
from dagster_project.layouts.layout import Extract, Layout, OnRead, RawTable, ignore

MAX_MEMBER_BYTES = 8 << 30  # the largest real member, the BaTIS bulk file, has 3 GB
UNSUSPICIOUS_BYTES = 64 << 20  # a bomb is small and unpacks to much more

# Within `unpacked_once`: the last unpacked member, by the archive's path, size and time.
_UnpackedMember = dict[tuple[Path, int, int, str], TemporaryDirectory[str]]
_unpacked: ContextVar[_UnpackedMember] = ContextVar("unpacked")


@contextmanager
def unpacked_once() -> Iterator[None]:
    """Keep the last unpacked member within the block; archives are read in such a block.

    All layouts that are tried, and the reader, use the same bytes.
    """
    kept: _UnpackedMember = {}
    outer = _unpacked.set(kept)
    try:
        yield
    finally:
        _unpacked.reset(outer)
        _remove(kept)


def _remove(kept: _UnpackedMember) -> None:
    while kept:
        kept.popitem()[1].cleanup()


@dataclass(frozen=True)
class ZipLayout:
    """A zip archive with one member of a matching name, which has another layout."""

    inner: Layout
    member: re.Pattern[str]

    @property
    def name(self) -> str:
        return f"{self.inner.name}, zipped"

    @property
    def table(self) -> RawTable:
        return self.inner.table

    def _member(self, path: Path) -> Path:
        """Return the unpacked member, which exists until the block ends.

        Raises ValueError if it is missing or too large.
        """
        stat = path.stat()
        state = (path, stat.st_size, stat.st_mtime_ns, self.member.pattern)
        kept = _unpacked.get()
        if state not in kept:
            _remove(kept)
            folder = TemporaryDirectory(prefix="royalty_unpacked_")
            try:
                self._unpack(path, Path(folder.name) / "member")
            except BaseException:
                folder.cleanup()
                raise
            kept[state] = folder
        return Path(kept[state].name) / "member"

    def _is_member(self, name: str) -> bool:
        """Whether a member's name matches, in any folder. macOS adds a `__MACOSX/._<name>`."""
        folder, base = posixpath.split(posixpath.normpath(name))
        inside = not folder.startswith(("/", ".."))
        return inside and self.member.fullmatch(base) is not None and base[0] != "."

    def _unpack(self, path: Path, target: Path) -> None:
        with ZipFile(path) as archive:
            members = [info for info in archive.infolist() if self._is_member(info.filename)]
            if len(members) != 1:
                raise ValueError(f"{len(members)} members called {self.member.pattern}")
            unpack(
                archive,
                {target: members[0]},
                max_bytes=MAX_MEMBER_BYTES,
                small_bytes=UNSUSPICIOUS_BYTES,
            )

    def likeness(self, path: Path) -> float:
        try:
            with ZipFile(path) as archive:
                return 0.25 + 0.75 * any(map(self._is_member, archive.namelist()))
        except (OSError, ValueError, *DAMAGED) as error:
            raise_if_machine_error(error)
            return 0.0

    def mismatch(self, path: Path) -> str | None:
        if not is_zipfile(path):
            return "a file that is not a zip archive"
        try:
            return self.inner.mismatch(self._member(path))
        except (ValueError, *DAMAGED) as error:
            return f"an archive with {error}"

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        member = self._member(path)
        try:
            return self.inner.read(con, member, on_read)
        except BadInput as problem:
            where = problem.where.replace(member.name, f"{path.name}, member", 1)
            raise BadInput(**{**vars(problem), "where": where}) from problem
