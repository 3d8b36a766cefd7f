"""How a raw file becomes rows: raw tables, and the layouts in which a publisher serves them.

A source module lists `RawTable`s and the `Layout`s that fill them; the reading itself is here. What
is odd about one publisher's file belongs in that publisher's module, not here.
"""

import csv
import difflib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import duckdb

from dagster_project.errors import BadInput

LINEAGE_COLUMNS = {
    "_source": "VARCHAR",
    "_release": "DATE",
    "_file": "VARCHAR",
    "_sheet": "VARCHAR",
    "_row": "BIGINT",
    "_loaded_at": "TIMESTAMP",
}
MAX_MEMBER_BYTES = 8 << 30  # the largest real member, the BaTIS bulk file, has 3 GB


@dataclass(frozen=True)
class RawTable:
    """A table of the `raw` schema: the publisher's columns as text, then the lineage.

    `by_cell` marks tables of files whose header is data (years, currencies): they hold one row a
    cell, with the header in `_column` and the cell in `value`.
    """

    name: str
    columns: tuple[str, ...]
    by_cell: bool = False

    @property
    def data_columns(self) -> tuple[str, ...]:
        """The columns a layout must deliver, besides `_sheet` and `_row`."""
        return (*self.columns, "_column", "value") if self.by_cell else self.columns

    @property
    def ddl(self) -> str:
        """The `create table if not exists` statement."""
        data = ", ".join(f'"{column}" VARCHAR' for column in self.data_columns)
        lineage = ", ".join(f"{name} {type_}" for name, type_ in LINEAGE_COLUMNS.items())
        return f'create table if not exists raw."{self.name}" ({data}, {lineage})'


@dataclass(frozen=True)
class Extract:
    """What a layout read: a relation with the table's data columns, `_sheet` and `_row`.

    The counts are of the file's records, also where a record gives several rows.
    """

    rows: duckdb.DuckDBPyRelation
    rows_read: int
    rows_kept: int


class Layout(Protocol):
    """One way in which a publisher has served a table."""

    @property
    def name(self) -> str: ...

    @property
    def table(self) -> RawTable: ...

    def mismatch(self, path: Path) -> str | None:
        """Say what keeps the file from being of this layout; None if it is of this layout."""
        ...

    def likeness(self, path: Path) -> float:
        """How close the file comes to this layout, from 0 to 1."""
        ...

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        """Read the whole file. Raises BadInput."""
        ...


def layout_of(path: Path, layouts: tuple[Layout, ...]) -> Layout:
    """Return the layout the file is of. Raises BadInput, with the nearest layout's complaint."""
    if path.stat().st_size == 0:
        raise BadInput(
            "empty file",
            where=path.name,
            expected=" or ".join(layout.name for layout in layouts),
            found="0 bytes",
            fix="fetch the file again",
        )
    for layout in layouts:
        if layout.mismatch(path) is None:
            return layout
    nearest = max(layouts, key=lambda layout: layout.likeness(path))
    raise BadInput(
        "unknown layout",
        where=path.name,
        expected=nearest.name,
        found=nearest.mismatch(path) or "",
        fix="fetch the file again, or add the new layout to the source's module",
    )


@dataclass(frozen=True)
class CsvLayout:
    """A comma-separated file in UTF-8 whose header stands in a known record.

    header_row: the record that holds the header, from 1; the records before it are preamble.
    header: the header's cells as served, for the table's columns in order.
    cell_headers: what the header's further cells look like where they are data; one row a cell.
    trailing_empty: the publisher ends each record with a comma.
    keep: a SQL predicate over the table's columns; the other rows are counted and left out.
    """

    name: str
    table: RawTable
    header_row: int
    header: tuple[str, ...]
    cell_headers: re.Pattern[str] | None = None
    trailing_empty: bool = False
    keep: str = "true"

    def _records(self, path: Path) -> Iterator[list[str]]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.reader(islice(file, 10_000))

    def _header(self, path: Path) -> list[str]:
        return next(islice(self._records(path), self.header_row - 1, None), [])

    def likeness(self, path: Path) -> float:
        try:
            return difflib.SequenceMatcher(None, self._header(path), self.header).ratio()
        except (UnicodeDecodeError, csv.Error):
            return 0.0

    def mismatch(self, path: Path) -> str | None:
        try:
            found = self._header(path)
        except UnicodeDecodeError as error:
            return f"bytes that are not UTF-8 (byte {error.start})"
        except csv.Error as error:
            return f"text that is not CSV ({error})"
        with path.open("rb") as file:
            start = file.read(200).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
        if start.startswith((b"<!doctype", b"<html", b"<?xml")):
            return "an HTML or XML page"
        named, rest = found[: len(self.header)], found[len(self.header) :]
        for position, (expected, cell) in enumerate(zip(self.header, named, strict=False), 1):
            if cell != expected:
                return (
                    f"row {self.header_row}, column {position}: {cell!r} instead of {expected!r}"
                )
        if len(named) < len(self.header):
            missing = ", ".join(repr(name) for name in self.header[len(named) :])
            return f"row {self.header_row}: {len(found)} columns, without {missing}"
        if self.trailing_empty and rest[-1:] == [""]:
            rest = rest[:-1]
        if self.cell_headers is None and rest:
            return f"row {self.header_row}: further columns {rest}"
        if self.cell_headers is not None:
            strange = [cell for cell in rest if not self.cell_headers.fullmatch(cell)]
            if strange or not rest:
                return f"row {self.header_row}: column headers {strange or 'without any data column'}"
            if len(set(rest)) < len(rest):
                return f"row {self.header_row}: a column header that occurs twice"
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        header = self._header(path)
        cells = header[len(self.header) :]
        if self.trailing_empty:
            cells = [cell for cell in cells if cell]
        padding = ["_trailing"] if self.trailing_empty and header[-1:] == [""] else []
        names = [*self.table.columns, *cells, *padding]
        try:
            # The names are the table's own, or such as `cell_headers` admits; the path is bound.
            con.execute(
                f"""
                create table incoming as
                select *, {self.header_row} + row_number() over () as _row
                from read_csv(
                    $path,
                    columns = {{{", ".join(f"'{name}': 'VARCHAR'" for name in names)}}},
                    auto_detect = false, header = false, skip = {self.header_row},
                    delim = ',', quote = '"', escape = '"', encoding = 'utf-8',
                    strict_mode = true, null_padding = false
                )
                """,
                {"path": str(path)},
            )
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise _unreadable(path, error) from error
        counts = con.execute(f"select count(*), count(*) filter ({self.keep}) from incoming")
        rows_read, rows_kept = counts.fetchall()[0]
        columns = ", ".join(f'"{column}"' for column in self.table.columns)
        if cells:
            quoted = ", ".join(f'"{cell}"' for cell in cells)
            rows = con.sql(
                f"""
                select {columns}, "_column", "value", cast(null as varchar) as _sheet, _row
                from (select * from incoming where {self.keep})
                unpivot include nulls ("value" for "_column" in ({quoted}))
                """
            )
        else:
            rows = con.sql(
                f"""
                select {columns}, cast(null as varchar) as _sheet, _row
                from incoming where {self.keep}
                """
            )
        return Extract(rows, rows_read, rows_kept)


def _unreadable(path: Path, error: duckdb.Error) -> BadInput:
    """Turn DuckDB's CSV error, which runs to many lines, into one that says the place."""
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    reason = re.search(r"^(Expected Number of Columns.*|Value with unterminated quote.*|Invalid unicode.*|.*not utf-8 encoded.*)$", text, re.M | re.I)
    return BadInput(
        "a file that breaks off or is not the CSV its header promises",
        where=f"{path.name}{f', line {line[1]}' if line else ''}",
        expected="every record with the header's number of fields, in UTF-8",
        found=(reason[0] if reason else text.splitlines()[0]).strip(),
        fix="fetch the file again; if the publisher serves it so, tell the publisher",
    )


@dataclass(frozen=True)
class JsonLayout:
    """A JSON object whose member `root` lists the records; fields that are absent become NULL."""

    name: str
    table: RawTable
    root: str
    required: tuple[str, ...]

    def likeness(self, path: Path) -> float:
        return 1.0 if path.suffix == ".json" and self.mismatch(path) is None else 0.0

    def mismatch(self, path: Path) -> str | None:
        try:
            document = json.loads(path.read_text("utf-8"))
        except UnicodeDecodeError as error:
            return f"bytes that are not UTF-8 (byte {error.start})"
        except json.JSONDecodeError as error:
            return f"text that is not JSON (line {error.lineno}: {error.msg})"
        records = document.get(self.root) if isinstance(document, dict) else None
        if not isinstance(records, list) or not records:
            return f"no list {self.root!r}"
        for number, record in enumerate(records, 1):
            missing = [field for field in self.required if not record.get(field)]
            if missing:
                return f"record {number} without {', '.join(missing)}"
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        fields = ", ".join(f'"{column}" varchar' for column in self.table.columns)
        con.read_json(str(path), columns={self.root: f"struct({fields})[]"}).to_table("document")
        columns = ", ".join(f'record."{column}"' for column in self.table.columns)
        con.execute(
            f"""
            create table incoming as
            select {columns}, cast(null as varchar) as _sheet, _row
            from (
                select unnest("{self.root}") as record, generate_subscripts("{self.root}", 1) as _row
                from document
            )
            """
        )
        con.execute("drop table document")
        rows = con.table("incoming")
        return Extract(rows, len(rows), len(rows))


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
        except (ValueError, zipfile.BadZipFile, EOFError, zlib.error) as error:
            return f"an archive with {error}"

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        with self._extracted(path) as member:
            return self.inner.read(con, member)
