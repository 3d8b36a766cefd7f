"""Raw tables, layouts and their extracts, and the choice of a file's layout."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import duckdb

from dagster_project.base.errors import BadInput

# Called by slow layouts with the share of the file that they have read, from 0 to 1.
OnRead = Callable[[float], object]

LINEAGE_COLUMNS = {
    "_source": "VARCHAR",
    "_release": "DATE",
    "_file": "VARCHAR",
    "_sheet": "VARCHAR",
    "_row": "BIGINT",
    "_loaded_at": "TIMESTAMP",
}


@dataclass(frozen=True)
class RawTable:
    """A table of the `raw` schema: the publisher's columns as text, then the lineage.

    by_cell: for files whose header is data (years, currencies): one row per cell, with the header
    in `_column` and the cell in `value`. key: for a table that only describes the data, the columns
    that identify a row: a file with repeated or missing keys is not read.
    """

    name: str
    columns: tuple[str, ...]
    by_cell: bool = False
    key: tuple[str, ...] = ()

    @property
    def data_columns(self) -> tuple[str, ...]:
        """The columns that a layout must deliver, besides `_sheet` and `_row`."""
        return (*self.columns, "_column", "value") if self.by_cell else self.columns

    @property
    def ddl(self) -> str:
        """The `create table if not exists` statement."""
        data = ", ".join(f'"{column}" VARCHAR' for column in self.data_columns)
        lineage = ", ".join(f"{name} {type_}" for name, type_ in LINEAGE_COLUMNS.items())
        return f'create table if not exists raw."{self.name}" ({data}, {lineage})'


@dataclass(frozen=True)
class Extract:
    """A file as read by a layout: a relation with the table's data columns, `_sheet` and `_row`.

    The counts are those of the file's records, even if a record gives several rows. They are None
    if they are known only once the relation is fetched: the caller counts then. scratch: folder of
    the relation's data, if not in the file itself. notes: harmless differences from the layout.
    lines: the file of the relation's records, if each of its lines was checked to be one record of
    ASCII letters without quotes; the caller may then read it where a crash would matter.
    columns_of_lines: the names of its columns.
    """

    rows: duckdb.DuckDBPyRelation
    rows_read: int | None
    rows_kept: int | None
    scratch: TemporaryDirectory[str] | None = None
    notes: tuple[str, ...] = ()
    lines: Path | None = None
    columns_of_lines: tuple[str, ...] = ()

    def close(self) -> None:
        """Remove the relation's data, after it has been fetched."""
        if self.scratch:
            self.scratch.cleanup()


def ignore(_share: float) -> None:
    """Ignore the share of a file that has been read."""


class Layout(Protocol):
    """One way in which a publisher has served a table."""

    @property
    def name(self) -> str:
        """The layout's name in messages."""
        ...

    @property
    def table(self) -> RawTable:
        """The raw table that the layout fills."""
        ...

    def mismatch(self, path: Path) -> str | None:
        """Describe why the file does not have this layout; None if it does."""
        ...

    def likeness(self, path: Path) -> float:
        """Return the file's similarity to this layout, from 0 to 1."""
        ...

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        """Read the whole file. Raises BadInput."""
        ...


def as_pattern(path: Path) -> str:
    """Return a path for DuckDB's readers, which take a folder name like `[2021]` for a pattern.

    In a pattern a backslash would separate folders. What no file matches is taken for a path again.
    """
    return str(path) if "\\" in str(path) else re.sub(r"([*?\[])", r"[\1]", str(path))


def layout_of(path: Path, layouts: tuple[Layout, ...]) -> Layout:
    """Return the file's layout. Raises BadInput, with the mismatch of the most similar layout."""
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
