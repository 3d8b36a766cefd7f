"""Text files in an encoding that DuckDB does not read, such as Shift_JIS."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dagster_project.errors import BadInput
from dagster_project.layouts.csv_layout import CsvLayout
from dagster_project.layouts.layout import Extract, RawTable


@dataclass(frozen=True)
class EncodedLayout:
    """A comma-separated file of another layout, but in an encoding of Python's instead of UTF-8."""

    inner: CsvLayout
    encoding: str

    @property
    def name(self) -> str:
        return f"{self.inner.name}, in {self.encoding}"

    @property
    def table(self) -> RawTable:
        return self.inner.table

    def _copy(self, path: Path, folder: str, lines: int | None = None) -> Path:
        """Write the file's first lines, or all of them, in UTF-8. Raises UnicodeDecodeError."""
        target = Path(folder) / path.name
        with (
            path.open(encoding=self.encoding, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as file,
        ):
            file.writelines(islice(source, lines))
        return target

    def likeness(self, path: Path) -> float:
        return self.inner.likeness(path)

    def mismatch(self, path: Path) -> str | None:
        with TemporaryDirectory(prefix="royalty_decoded_") as folder:
            try:
                return self.inner.mismatch(self._copy(path, folder, self.inner.header_row))
            except UnicodeDecodeError as error:
                return f"bytes that are not {self.encoding} (byte {error.start})"

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        folder = TemporaryDirectory(prefix="royalty_decoded_")
        try:
            extract = self.inner.read(con, self._copy(path, folder.name))
        except UnicodeDecodeError as error:
            folder.cleanup()
            raise BadInput(
                "a file in another encoding than its layout's",
                where=path.name,
                expected=f"text in {self.encoding}",
                found=f"{error.reason} ({error.object[error.start : error.end]!r})",
                fix="fetch the file again; do not save it in another program",
            ) from error
        except BaseException:
            folder.cleanup()
            raise
        return replace(extract, scratch=folder)
