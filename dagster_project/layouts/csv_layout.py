"""Comma-separated files."""

import csv
import difflib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dagster_project.errors import BadInput
from dagster_project.layouts.layout import Extract, RawTable, as_pattern
from dagster_project.layouts.marked_lines import NotPlain, copy_marked_lines

_LONGEST_LINE = 1 << 20  # characters: a file without line ends is not read into memory

# Larger files are read once, straight into the raw table, and their rows are not numbered.
BULK_BYTES = 32 << 20

# What a thread takes at a time of the lines that were copied: small, so that all end together.
_BUFFER_BYTES = 4 << 20


@dataclass(frozen=True)
class CsvLayout:
    """A comma-separated file in UTF-8 whose header stands in a known record.

    header_row: the record that holds the header, from 1; the records before it are preamble.
    header: the header's cells as served, for the table's columns in order; where a table by cell
        is served with one record per cell, for `_column` and `value` too.
    cell_headers: what the header's further cells look like where they are data; one row a cell.
    consecutive: these headers are whole numbers, each one more than the one before it (years).
    cell_header_column: the column of the table, not of the file, that such a header goes into
        beside `_column`. For tables that a workbook fills too, where `_column` is a letter.
    trailing_empty: the publisher ends each record with a comma.
    keep: a SQL predicate over the table's columns; the other rows are counted and left out.
    by_name: the columns of `header` stand anywhere among others, which are left out.
    natural_key: the columns that tell one record from all others. With it a bulk file can do
        without row numbers, which cost as much as reading (they keep DuckDB to one thread);
        `lines_of` finds the line of a record when somebody asks.
    mark: a text that each record to keep contains as the publisher writes it. The lines of a bulk
        file that do not contain it are not taken apart. Empty if there is no such text.
    """

    name: str
    table: RawTable
    header_row: int
    header: tuple[str, ...]
    cell_headers: re.Pattern[str] | None = None
    consecutive: bool = False
    cell_header_column: str = ""
    trailing_empty: bool = False
    keep: str = "true"
    by_name: bool = False
    natural_key: tuple[str, ...] = ()
    mark: str = ""

    def _records(self, path: Path) -> Iterator[list[str]]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = iter(partial(file.readline, _LONGEST_LINE), "")
            yield from csv.reader(islice(lines, 10_000))

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
        if self.by_name:
            lost = [repr(name) for name in self.header if found.count(name) != 1]
            return f"row {self.header_row}: not one column {', '.join(lost)}" if lost else None
        named, rest = found[: len(self.header)], found[len(self.header) :]
        for position, (expected, cell) in enumerate(zip(self.header, named, strict=False), 1):
            if cell != expected:
                return f"row {self.header_row}, column {position}: {cell!r} instead of {expected!r}"
        if len(named) < len(self.header):
            missing = ", ".join(repr(name) for name in self.header[len(named) :])
            return f"row {self.header_row}: {len(found)} columns, without {missing}"
        if self.trailing_empty and rest[-1:] == [""]:
            rest = rest[:-1]
        if self.cell_headers is None and rest:
            return f"row {self.header_row}: further columns {rest}"
        amiss = self._amiss_in_cell_headers(self.cell_headers, rest) if self.cell_headers else None
        return f"row {self.header_row}: {amiss}" if amiss else None

    def _amiss_in_cell_headers(self, like: re.Pattern[str], found: list[str]) -> str | None:
        strange = [cell for cell in found if not like.fullmatch(cell)]
        if strange or not found:
            return f"column headers {strange or 'without any data column'}"
        if len(set(found)) < len(found):
            return "a column header that occurs twice"
        for before, after in pairwise(found):
            if self.consecutive and int(after) != int(before) + 1:
                return f"column header {after!r} after {before!r}"
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        header = self._header(path)
        cells = [] if self.by_name else header[len(self.header) :]
        if self.trailing_empty:
            cells = [cell for cell in cells if cell]
        padding = ["_trailing"] if self.trailing_empty and header[-1:] == [""] else []
        # A file with one record per cell fills a table by cell as it is.
        own = self.table.columns if self.cell_headers else self.table.data_columns
        served = [column for column in own if column != self.cell_header_column]
        names = [*served, *cells, *padding]
        if self.by_name:
            taken = dict(zip(self.header, self.table.columns, strict=True))
            names = [taken.get(name, f"_left_out_{at}") for at, name in enumerate(header)]
        columns = ", ".join(
            f'"{column}"' if column in served else f'"_column" as "{column}"' for column in own
        )
        reader = self._reader(path, names)
        if self.natural_key and not cells and path.stat().st_size > BULK_BYTES:
            return self._read_bulk(con, path, names)
        try:
            con.execute(
                "create table incoming as"
                f" select *, {self.header_row} + row_number() over () as _row from {reader}"
            )
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise unreadable(path, error) from error
        _refuse_half_a_record(path)
        counts = con.execute(f"select count(*), count(*) filter ({self.keep}) from incoming")
        rows_read, rows_kept = counts.fetchall()[0]
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

    def _read_bulk(self, con: duckdb.DuckDBPyConnection, path: Path, names: list[str]) -> Extract:
        """Read a file straight into its table, without numbers of rows."""
        _refuse_half_a_record(path)
        columns = ", ".join(f'"{column}"' for column in self.table.columns)
        rows_of = f"""
            select {columns}, cast(null as varchar) as _sheet, cast(null as bigint) as _row
            from {{}} where {self.keep}
        """
        # The general reader takes what is not plain, and tells the line if there is anything amiss.
        with ExitStack() as unused, suppress(NotPlain):
            if self.mark:
                scratch = TemporaryDirectory(prefix="royalty_marked_lines_")
                unused.callback(scratch.cleanup)
                lines = Path(scratch.name) / "lines.csv"
                mark, fields = self.mark.encode(), len(names)
                rows_read = copy_marked_lines(path, lines, mark, self.header_row, fields)
                rows = con.sql(rows_of.format(self._reader(lines, names, copied=True)))
                unused.pop_all()
                return Extract(rows, rows_read, None, scratch)
        return Extract(con.sql(rows_of.format(self._reader(path, names))), None, None)

    def _reader(self, path: Path, names: list[str], copied: bool = False) -> str:
        """The call that reads the file: columns as they are listed, all text, nothing guessed.

        copied: the file has lines of another one, without its header.
        """
        # The names are the table's own, or such as `cell_headers` admits.
        return f"""
            read_csv(
                '{as_pattern(path).replace("'", "''")}',
                columns = {{{", ".join(f"'{name}': 'VARCHAR'" for name in names)}}},
                auto_detect = false, header = false,
                {f"buffer_size = {_BUFFER_BYTES}" if copied else f"skip = {self.header_row}"},
                delim = ',', quote = '"', escape = '"', encoding = 'utf-8',
                compression = 'none',
                strict_mode = true, null_padding = false, hive_partitioning = false
            )
        """

    def lines_of(
        self, con: duckdb.DuckDBPyConnection, path: Path, record: Mapping[str, str]
    ) -> list[int]:
        """Return the row numbers of the records that have these values in these columns.

        Reads the whole file. Raises BadInput if a column is not one of the table's.
        """
        unknown = sorted(record.keys() - set(self.table.columns))
        if unknown:
            raise BadInput(
                "a column that is not there",
                where=path.name,
                expected="columns among " + ", ".join(self.table.columns),
                found=", ".join(unknown),
                fix="name columns of the raw table",
            )
        header = self._header(path)
        names = [*self.table.columns, *header[len(self.table.columns) :]]
        wanted = " and ".join(f'"{column}" = ?' for column in record)
        found = con.execute(
            f"""
            select _row
            from (
                select *, {self.header_row} + row_number() over () as _row
                from {self._reader(path, names)}
            )
            where {wanted}
            """,
            list(record.values()),
        )
        return [row for (row,) in found.fetchall()]


def _refuse_half_a_record(path: Path) -> None:
    """Raise BadInput for a file without a line end at its end.

    Where it breaks off within the last field, a figure has lost digits and nothing else tells.
    """
    with path.open("rb") as file:
        file.seek(-min(40, path.stat().st_size), os.SEEK_END)
        end = file.read()
    if not end.endswith((b"\n", b"\r")):
        raise BadInput(
            "a file that breaks off in its last record",
            where=f"{path.name}, last line",
            expected="a line end after the last record",
            found=f"the end {end.decode('utf-8', 'replace')!r}",
            fix="fetch the file again; if it is whole, add the line end",
        )


_REASON = re.compile(
    "^(Expected Number of Columns.*|Value with unterminated quote.*|Invalid unicode.*"
    "|.*not utf-8 encoded.*)$",
    re.M | re.I,
)


def unreadable(path: Path, error: duckdb.Error) -> BadInput:
    """Turn DuckDB's CSV error, which runs to many lines, into one that says the place."""
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    reason = _REASON.search(text)
    return BadInput(
        "a file that breaks off or is not the CSV its header promises",
        where=f"{path.name}{f', line {line[1]}' if line else ''}",
        expected="every record with the header's number of fields, in UTF-8",
        found=(reason[0] if reason else text.splitlines()[0]).strip(),
        fix="fetch the file again; if the publisher serves it so, tell the publisher",
    )
