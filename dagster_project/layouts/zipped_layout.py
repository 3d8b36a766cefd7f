"""Zip archives, unpacked within limits."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dagster_project.errors import BadInput
from dagster_project.layouts.layout import Extract, Layout, RawTable

MAX_MEMBER_BYTES = 8 << 30  # the largest real member, the BaTIS bulk file, has 3 GB
# A bomb is small and unpacks to much: real members shrink to a fifth or a twentieth.
MAX_RATIO, UNSUSPICIOUS_BYTES = 200, 64 << 20


@dataclass(frozen=True)
class ZippedLayout:
    """A zip archive of which one member, whose name matches, is of another layout."""

    inner: Layout
    member: re.Pattern[str]

    @property
    def name(self) -> str:
        return f"{self.inner.name}, zipped"

    @property
    def table(self) -> RawTable:
        return self.inner.table

    @contextmanager
    def _extracted(self, path: Path) -> Iterator[Path]:
        """Yield the member as a file of its own. Raises BadInput, ValueError if there is none."""
        with zipfile.ZipFile(path) as archive, TemporaryDirectory() as folder:
            members = [info for info in archive.infolist() if self.member.fullmatch(info.filename)]
            if len(members) != 1:
                raise ValueError(f"{len(members)} members called {self.member.pattern}")
            if members[0].file_size > MAX_MEMBER_BYTES:
                raise ValueError(f"a member of {members[0].file_size:,} bytes")
            if members[0].file_size > max(UNSUSPICIOUS_BYTES, MAX_RATIO * members[0].compress_size):
                raise ValueError(
                    f"a member of {members[0].file_size:,} bytes in {members[0].compress_size:,}"
                )
            target = Path(folder) / "member"
            with archive.open(members[0]) as source, target.open("wb") as file:
                # The size in the archive's directory may lie: stop at the limit all the same.
                left = MAX_MEMBER_BYTES
                while chunk := source.read(min(1 << 20, left)):
                    file.write(chunk)
                    left -= len(chunk)
                    if left == 0:
                        raise ValueError(f"a member of more than {MAX_MEMBER_BYTES:,} bytes")
            yield target

    def likeness(self, path: Path) -> float:
        return float(zipfile.is_zipfile(path))

    def mismatch(self, path: Path) -> str | None:
        if not zipfile.is_zipfile(path):
            return "a file that is not a zip archive"
        try:
            with self._extracted(path) as member:
                return self.inner.mismatch(member)
        except (ValueError, RuntimeError, zipfile.BadZipFile, EOFError, zlib.error) as error:
            return f"an archive with {error}"

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        with self._extracted(path) as member:
            try:
                return self.inner.read(con, member)
            except BadInput as problem:
                where = problem.where.replace(member.name, f"{path.name}, member", 1)
                raise BadInput(**{**vars(problem), "where": where}) from problem
