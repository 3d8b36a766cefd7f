"""SDMX data messages (SDMX-CSV, SDMX-ML, SDMX-JSON) and Eurostat's TSV, in one raw shape.

A publisher that serves SDMX serves every dataset in all of these formats, and any of them may land.
So the raw table follows the dataset, not the format: one row per observation, a column per
dimension and attribute under its id in lower case, wherever the message attaches it (to the data
set, a group of series, the series or the observation), and the value in `value`. All values are the
file's text. The case of ids does not matter; other columns are left out.

The readers use the standard library: docs/sdmx.md lists the libraries that were tried. No entity is
resolved, and memory does not grow with the size of an XML or TSV file.
"""

import csv
import difflib
import re
import xml.etree.ElementTree as ET
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.layouts.csv_layout import CsvLayout
from dagster_project.layouts.json_layout import JsonDocumentLayout
from dagster_project.layouts.layout import Extract, Layout, OnRead, RawTable, ignore
from dagster_project.layouts.sdmx_ids import column_of
from dagster_project.layouts.sdmx_json import json_observations
from dagster_project.layouts.sdmx_ml import xml_observations
from dagster_project.layouts.xml_text import forbidden_text, is_forbidden

MAX_XML_BYTES = 2 << 30  # read as a stream, but one attribute could be as large as the file
MAX_JSON_BYTES = 256 << 20  # read as a whole, which takes ten times as much memory
_LONGEST_LINE = 1 << 20  # characters
_LONGEST_VALUE = 50_000  # characters: a note can have a page

_PERIOD = re.compile(r"\d{4}(-?([SQWM]\d{1,2}|\d{2}(-\d{2})?))?")
_OF_SDMX_CSV = (r"STRUCTURE(\[.\])?", "STRUCTURE_NAME", "SERIES_KEY", "OBS_KEY")

_UNREADABLE = (ValueError, LookupError, ET.ParseError)  # LookupError: an unknown encoding

Row = tuple[str | int | None, ...]


_DELETED = "from incoming where upper(trim(action)) = 'D'"


@dataclass(frozen=True)
class SdmxDataset:
    """A dataset whose data messages fill one raw table.

    title: its name in messages.
    dimensions, attributes: ids as the publisher writes them, without TIME_PERIOD and OBS_VALUE.
        Each observation has all dimensions; an attribute may be absent. `DATAFLOW` is the dataset
        that a CSV file names.
    keep: a SQL predicate over the table's columns; the other observations are counted and left out.
    closed: a CSV file has no other columns: if an attribute is missing and there is an unknown
        column, it was renamed.
    """

    title: str
    table_name: str
    dimensions: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    keep: str = "true"
    closed: bool = False

    @property
    def table(self) -> RawTable:
        """The raw table: dimensions, time_period, attributes, and the value."""
        ids = (*self.dimensions, "TIME_PERIOD", *self.attributes)
        return RawTable(self.table_name, tuple(map(column_of, ids)), by_cell=True)

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """One layout per format."""
        return (
            SdmxCsvLayout(self),
            SdmxMlLayout(self),
            SdmxJsonLayout(self),
            EurostatTsvLayout(self),
        )

    def required(self) -> tuple[str, ...]:
        """The columns that every observation fills."""
        return (*map(column_of, self.dimensions), "time_period")

    def lacking(self, observation: dict[str, Any]) -> str:
        """Return the dimensions that an observation lacks; empty if it has all."""
        return ", ".join(column for column in self.required() if not observation.get(column))


@dataclass(frozen=True)
class _SdmxLayout:
    """The common parts of the four formats."""

    dataset: SdmxDataset
    format: str = ""

    @property
    def name(self) -> str:
        return f"{self.dataset.title}, {self.format}"

    @property
    def table(self) -> RawTable:
        return self.dataset.table


@dataclass(frozen=True)
class SdmxCsvLayout(_SdmxLayout):
    """SDMX-CSV 1.0 and 2.0; columns with names beside the codes are left out."""

    format: str = "SDMX-CSV"

    def _header(self, path: Path) -> list[str]:
        with suppress(UnicodeDecodeError, csv.Error), path.open(encoding="utf-8-sig") as file:
            lines = iter(partial(file.readline, _LONGEST_LINE), "")
            return [name.strip() for name in next(csv.reader(lines), [])]
        return []

    def _inner(self, path: Path) -> CsvLayout:
        """Return the file's CSV layout: its columns, under their names in the file."""
        header = self._header(path)
        names = {}
        optional = self.dataset.attributes
        for wanted in (*self.dataset.dimensions, "TIME_PERIOD", "OBS_VALUE", *optional):
            # All in one case: `Adjustment` is the column of names beside `ADJUSTMENT`.
            spelled = [wanted, wanted.upper(), wanted.lower()]
            if wanted == "DATAFLOW":
                spelled.append("STRUCTURE_ID")
            found = [name for name in spelled if name in header]
            if found or wanted not in optional:
                names[column_of(wanted)] = found[0] if found else wanted
        actions = [name for name in header if name.upper() == "ACTION"]
        if actions:
            names["action"] = actions[0]
        table = RawTable(self.table.name, tuple(names))
        return CsvLayout(
            self.name, table, 1, tuple(names.values()), keep=self.dataset.keep, partial=True
        )

    def likeness(self, path: Path) -> float:
        inner = self._inner(path)
        return difflib.SequenceMatcher(None, self._header(path), inner.header).ratio()

    def mismatch(self, path: Path) -> str | None:
        inner = self._inner(path)
        known = re.compile("|".join([*map(re.escape, inner.header), *_OF_SDMX_CSV]))
        strange = [repr(name) for name in self._header(path) if not known.fullmatch(name)]
        lost = [column for column in self.table.columns if column not in inner.table.columns]
        if self.dataset.closed and strange and lost:
            return f"row 1: without {', '.join(lost)}, and with unknown {', '.join(strange)}"
        return inner.mismatch(path)

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        inner = self._inner(path)
        extract = inner.read(con, path, on_read)
        names = dict(zip(inner.table.columns, inner.header, strict=True))
        if "action" in names and con.sql(_DELETED).fetchone():
            raise _unusable(self, path, "ACTION 'D', which deletes observations")
        for column in self.dataset.required():
            empty = con.sql(f'from incoming select _row where "{column}" is null').fetchone()
            if empty:
                raise _unusable(self, path, f"record {empty[0]} without {column}")
        columns = ", ".join(
            f'"{column}"' if column in names else f'cast(null as varchar) as "{column}"'
            for column in self.table.columns
        )
        cell = names["value"].replace("'", "''")
        rows = extract.rows.project(f"""{columns}, '{cell}' as "_column", "value", _sheet, _row""")
        return Extract(rows, extract.rows_read, extract.rows_kept)


@dataclass(frozen=True)
class _StreamedLayout(_SdmxLayout, ABC):
    """A format that is read as a stream: its observations go to DuckDB through a CSV file."""

    @abstractmethod
    def _observations(self, path: Path) -> Iterator[Row]:
        """Yield _row, _column, the table's columns and the value. Raises ValueError."""

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        columns = ("number", "cell", *self.table.columns, "value")
        with TemporaryDirectory(prefix="royalty_sdmx_") as folder:
            scratch = Path(folder) / "observations.csv"
            with scratch.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                try:
                    writer.writerows(_check_values(path.name, self._observations(path), columns))
                except _UNREADABLE as error:
                    raise _unusable(self, path, str(error)) from error
            CsvLayout(self.name, RawTable(self.table.name, columns), 1, columns).read(con, scratch)
        counted = con.execute(
            "select count(distinct number), count(distinct number) filter"
            f" ({self.dataset.keep}) from incoming"
        )
        rows_read, rows_kept = counted.fetchall()[0]
        quoted = ", ".join(f'"{column}"' for column in self.table.columns)
        rows = con.sql(
            f"""
            select {quoted}, cell as "_column", "value", cast(null as varchar) as _sheet,
                cast(number as bigint) as _row
            from incoming where {self.dataset.keep}
            """
        )
        return Extract(rows, rows_read, rows_kept)


@dataclass(frozen=True)
class EurostatTsvLayout(_StreamedLayout):
    r"""Eurostat's TSV: a line per series, its key in the first cell, a column per period.

    The first header is `freq,…,geo\TIME_PERIOD`. A cell holds a number, or `:` for none, then a
    blank and flags: the raw value is the whole cell.
    """

    format: str = "Eurostat TSV"

    def _lines(self, path: Path) -> Iterator[str]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from iter(partial(file.readline, _LONGEST_LINE), "")

    def _header(self, path: Path) -> tuple[list[str], list[str]]:
        first, *periods = next(self._lines(path), "").rstrip("\r\n").split("\t")
        return [column_of(name) for name in first.partition("\\")[0].split(",")], [
            period.strip() for period in periods
        ]

    def likeness(self, path: Path) -> float:
        with path.open("rb") as file:
            return 0.9 if re.match(rb"(\xef\xbb\xbf)?[\w,]+\\", file.read(1000)) else 0.0

    def mismatch(self, path: Path) -> str | None:
        if not self.likeness(path):
            return r"no header such as 'freq,…,geo\TIME_PERIOD'"
        try:
            names, periods = self._header(path)
        except UnicodeDecodeError as error:
            return f"bytes that are not UTF-8 (byte {error.start})"
        if lost := [name for name in self.dataset.required()[:-1] if name not in names]:
            return f"a first header without {', '.join(lost)}"
        strange = [period for period in periods if not _PERIOD.fullmatch(period)]
        if strange or not periods or len(set(periods)) < len(periods):
            return f"columns that are not one per period ({strange or 'none, or one twice'})"
        return None

    def _observations(self, path: Path) -> Iterator[Row]:
        names, periods = self._header(path)
        places = [names.index(name) for name in self.dataset.required()[:-1]]
        unused = (None,) * len(self.dataset.attributes)
        for number, line in enumerate(self._lines(path), 1):
            key, *cells = line.rstrip("\r\n").split("\t")
            codes = key.split(",")
            if not line.endswith("\n") or len(codes) != len(names) or len(cells) != len(periods):
                raise ValueError(
                    f"line {number} with {len(codes)} codes and {len(cells)} cells"
                    f"{'' if line.endswith(chr(10)) else ', without a line end'}"
                )
            if number > 1:
                dimensions = [codes[place] for place in places]
                if not all(dimensions):
                    raise ValueError(f"line {number} with a dimension without a code")
                for period, cell in zip(periods, cells, strict=True):
                    yield number, period, *dimensions, period, *unused, cell


@dataclass(frozen=True)
class SdmxMlLayout(_StreamedLayout):
    """SDMX-ML 2.1 and 3.0, generic or structure-specific, and the compact form of 2.0."""

    format: str = "SDMX-ML"

    def likeness(self, path: Path) -> float:
        with path.open("rb") as file:
            return 0.6 if b"<" in file.read(100).lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t")[:2] else 0.0

    def mismatch(self, path: Path) -> str | None:
        if not self.likeness(path):
            return "text that is not XML"
        if path.stat().st_size > MAX_XML_BYTES:
            return f"an XML document of {path.stat().st_size:,} bytes"
        try:
            next(self._observations(path), None)
        except _UNREADABLE as error:
            return str(error)
        return None

    def _observations(self, path: Path) -> Iterator[Row]:
        for number, observation in enumerate(xml_observations(path), 1):
            if lacking := self.dataset.lacking(observation):
                raise ValueError(f"observation {number} without {lacking}")
            values = (observation.get(column) for column in self.table.columns)
            yield number, "OBS_VALUE", *values, observation.get("value")


@dataclass(frozen=True)
class SdmxJsonLayout(_SdmxLayout):
    """SDMX-JSON 1.0 (as drafted and as published) and 2.0."""

    format: str = "SDMX-JSON"

    def _parse(self, document: Any) -> Iterator[tuple[str | None, ...]]:
        for number, observation in enumerate(json_observations(document), 1):
            if lacking := self.dataset.lacking(observation):
                raise ValueError(f"observation {number} without {lacking}")
            values = (observation.get(column) for column in self.table.columns)
            yield (*values, "OBS_VALUE", observation.get("value"))

    @property
    def _inner(self) -> JsonDocumentLayout:
        return JsonDocumentLayout(self.name, self.table, self._parse, has_nan=True)

    def likeness(self, path: Path) -> float:
        return self._inner.likeness(path)

    def mismatch(self, path: Path) -> str | None:
        if path.stat().st_size > MAX_JSON_BYTES:
            return f"a JSON document of {path.stat().st_size:,} bytes"
        return self._inner.mismatch(path)

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        extract = self._inner.read(con, path, on_read)
        kept = extract.rows.filter(self.dataset.keep)
        return Extract(kept, extract.rows_read, len(kept))


def _unusable(layout: _SdmxLayout, path: Path, found: str) -> BadInput:
    return BadInput(
        "the file is truncated or not valid",
        where=path.name,
        expected=layout.name,
        found=found,
        fix="fetch the file again; if the publisher serves it so, correct the source's module",
    )


def _check_values(name: str, rows: Iterator[Row], columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows. Raises ValueError for a value that is too long for DuckDB's CSV reader, and
    BadInput for one with a character that XML 1.0 does not allow.
    """
    for row in rows:
        longest = max(len(cell) for cell in row if isinstance(cell, str))
        if longest > _LONGEST_VALUE:
            raise ValueError(f"a value of {longest:,} characters (_row {row[0]})")
        for column, cell in zip(columns, row, strict=True):
            if isinstance(cell, str) and is_forbidden(cell):
                raise forbidden_text(f"{name}, row {row[0]}, column {column}", cell)
        yield row
