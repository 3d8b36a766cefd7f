"""Comma-separated files."""

import csv
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.layouts.csv_file import (
    convert_to_utf_8,
    csv_records,
    in_quotes,
    is_utf_8,
    likeness_of,
    markup,
    not_csv,
    refuse_forbidden_characters,
    refuse_truncated_record,
    unreadable,
    wrong_names,
)
from dagster_project.layouts.csv_line_filter import NeedsFullParser, copy_matching_lines
from dagster_project.layouts.layout import Extract, OnRead, RawTable, as_pattern, ignore

# Larger files are read in one pass, straight into the raw table, without row numbers.
BULK_BYTES = 32 << 20

_LEFT_OUT = re.compile(r"_left_out_\d+")

# The chunk of copied lines that a thread parses: small, so that all threads end together.
_BUFFER_BYTES = 4 << 20


@dataclass(frozen=True)
class CsvLayout:
    """A comma-separated file in UTF-8 with its header in a known record.

    Columns are found by their names: another order and unknown columns are only reported. A missing
    or repeated column is fatal. If the publisher's names are not unique (or empty), the first
    columns are taken in order. Blanks around names do not matter, nor do empty records, as
    spreadsheets write.

    header_row: the record that holds the header, from 1; the records before it are preamble.
    header: the header's cells as served, for the table's columns in order; for a table by cell that
        is served with one record per cell, for `_column` and `value` too.
    cell_headers: pattern of the headers of columns of figures; one row per cell. Blanks around
        labels and figures are stripped, as in workbooks.
    consecutive: these headers are whole numbers (years), each one more, or each one less, than the
        one before it.
    cell_header_column: the column of the table, not of the file, that such a header also goes into,
        besides `_column`. For tables that a workbook fills too, where `_column` is a letter.
    keep: a SQL predicate over the table's columns; the other rows are counted and left out.
    partial: few of many columns are taken; the others and their order are not reported.
    absent: columns of the table that this layout's files do not have: NULL.
    fallback_encoding: the encoding of a file that is not in UTF-8, for publishers who serve both.
        Such a file is converted, in chunks, before it is read. Its header is plain ASCII.
    natural_key: the columns that identify a record. With it a bulk file needs no row numbers, which
        cost as much as reading (they limit DuckDB to one thread); `lines_of` finds a record's line
        on request.
    must_contain: a text that each record to keep contains, as the publisher writes it. Lines of a
        bulk file without it are not parsed. Empty if there is no such text.
    """

    name: str
    table: RawTable
    header_row: int
    header: tuple[str, ...]
    cell_headers: re.Pattern[str] | None = None
    consecutive: bool = False
    cell_header_column: str = ""
    keep: str = "true"
    partial: bool = False
    absent: tuple[str, ...] = ()
    fallback_encoding: str = ""
    natural_key: tuple[str, ...] = ()
    must_contain: str = ""

    def _header(self, path: Path) -> list[str]:
        errors = "replace" if self.fallback_encoding else "strict"
        found = next(islice(csv_records(path, errors), self.header_row - 1, None), [])
        return [name.strip() for name in found]

    def _columns(self) -> str:
        """Return the table's columns, for a `select`."""
        elsewhere = {
            **dict.fromkeys(self.absent, "cast(null as varchar)"),
            self.cell_header_column: '"_column"',
        }
        return ", ".join(
            f'{elsewhere[column]} as "{column}"' if column in elsewhere else f'"{column}"'
            for column in self._filled
        )

    def likeness(self, path: Path) -> float:
        try:
            return likeness_of(self._header(path), self.header)
        except (UnicodeDecodeError, csv.Error):
            return 0.0

    def mismatch(self, path: Path) -> str | None:
        try:
            found = self._header(path)
        except (UnicodeDecodeError, csv.Error) as error:
            return not_csv(path, error)
        if page := markup(path):
            return page
        row = f"row {self.header_row}: "
        cells = self._cells(found)
        if wrong := self._wrong_names(found, cells):
            return row + wrong
        if self.cell_headers and not cells:
            return f"{row}no column of figures"
        step = -1 if self.consecutive and int(cells[-1]) < int(cells[0]) else 1
        for before, after in pairwise(cells):
            if self.consecutive and int(after) != int(before) + step:
                return f"{row}column header {after!r} after {before!r}"
        return None

    def _wrong_names(self, found: list[str], cells: list[str]) -> str | None:
        if self._has_names:
            return wrong_names(found, self.header, cells)
        first = tuple(found[: len(self.header)])
        if first != self.header:
            return f"the first columns are {list(first)} instead of {list(self.header)}"
        return wrong_names(found[len(self.header) :], (), cells)

    def _cells(self, header: list[str]) -> list[str]:
        """Return the headers of columns of figures."""
        like = self.cell_headers
        return [name for name in header if like and like.fullmatch(name)]

    @property
    def _served(self) -> list[str]:
        """The table's columns that the file has, in the order of `header`."""
        elsewhere = (self.cell_header_column, *self.absent)
        return [column for column in self._filled if column not in elsewhere]

    @property
    def _filled(self) -> tuple[str, ...]:
        """The table's columns; a file with one record per cell has `_column` and `value` too."""
        return self.table.columns if self.cell_headers else self.table.data_columns

    @property
    def _has_names(self) -> bool:
        """Whether the columns before the figures can be found by their names."""
        return len(set(self.header)) == len(self.header)

    def _names(self, header: list[str]) -> list[str]:
        """Return the table's names of the columns; `_left_out_…` for columns not in it."""
        taken = {name: name for name in self._cells(header)}
        if self._has_names:
            taken |= dict(zip(self.header, self._served, strict=True))
        names = [taken.get(name, f"_left_out_{at}") for at, name in enumerate(header)]
        return names if self._has_names else [*self._served, *names[len(self.header) :]]

    def _notes(self, header: list[str]) -> tuple[str, ...]:
        """Return harmless differences from the layout."""
        known = [name for name in header if name in self.header]
        cells = set(self._cells(header))
        further = [
            name for name in header if name and name not in self.header and name not in cells
        ]
        notes = []
        if known != list(self.header) and not self.partial:
            notes.append(f"columns in another order: {in_quotes(known)}")
        if further and not self.partial:
            notes.append(f"further columns, left out: {in_quotes(further)}")
        return tuple(notes)

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        if not self._needs_conversion(path):
            return self._read(con, path, on_read)
        scratch = TemporaryDirectory(prefix="royalty_converted_")
        try:
            converted = convert_to_utf_8(path, Path(scratch.name), self.fallback_encoding)
            return replace(self._read(con, converted, on_read), scratch=scratch)
        except BaseException:
            scratch.cleanup()
            raise

    def _needs_conversion(self, path: Path) -> bool:
        return bool(self.fallback_encoding) and not is_utf_8(path)

    def _read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead) -> Extract:
        header = self._header(path)
        cells, names = self._cells(header), self._names(header)
        served = ", ".join(f'"{column}"' for column in self._served)
        columns = self._columns()
        reader = self._reader(path, names)
        if self.natural_key and not cells and path.stat().st_size > BULK_BYTES:
            return self._read_bulk(con, path, names, on_read)
        refuse_forbidden_characters(path)
        try:
            texts = "nullif(trim(columns(*)), '')" if cells else "*"
            filled = ", ".join(f'"{name}"' for name in names)
            con.execute(
                f"""
                create table incoming as
                select *
                from (
                    select {texts}, {self.header_row} + row_number() over () as _row from {reader}
                )
                where trim(concat({filled})) <> ''
                """
            )
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise unreadable(path, error) from error
        refuse_truncated_record(path)
        if cells:
            self._refuse_figures_without_header(con, path, header, names)
        counts = con.execute(f"select count(*), count(*) filter ({self.keep}) from incoming")
        rows_read, rows_kept = counts.fetchall()[0]
        if cells:
            quoted = ", ".join(f'"{cell}"' for cell in cells)
            rows = con.sql(
                f"""
                select {columns}, "_column", "value", cast(null as varchar) as _sheet, _row
                from (select {served}, {quoted}, _row from incoming where {self.keep})
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
        return Extract(rows, rows_read, rows_kept, notes=self._notes(header))

    def _refuse_figures_without_header(
        self, con: duckdb.DuckDBPyConnection, path: Path, header: list[str], names: list[str]
    ) -> None:
        """Raise BadInput if a column that is left out holds figures: its header may be corrupt.

        Does not apply to columns with a name of another kind, nor to row numbers that programs
        write before the first known column.
        """
        numbered = any(letter.isdigit() for letter in self._cells(header)[0])
        first = next(at for at, name in enumerate(names) if not name.startswith("_left_out_"))
        for at, (left_out, name) in enumerate(zip(names, header, strict=True)):
            if not left_out.startswith("_left_out_"):
                continue
            is_of_another_kind = numbered and name and not any(map(str.isdigit, name))
            if is_of_another_kind or (not name and at < first):
                continue
            figures = con.execute(
                f'select _row, "{left_out}" from incoming where {self.keep}'
                f' and try_cast("{left_out}" as double) is not null order by _row limit 1'
            ).fetchall()
            if figures:
                raise BadInput(
                    "figures under an unknown header",
                    where=f"{path.name}, row {self.header_row}, column {names.index(left_out) + 1}",
                    expected=f"a header such as {self._cells(header)[-1]!r}, or no figures",
                    found=f"{name!r}, and {figures[0][1]!r} in row {figures[0][0]}",
                    fix="fetch the file again; if the publisher serves it so, add the column to the"
                    " layout in the source's module",
                )

    def _read_bulk(
        self, con: duckdb.DuckDBPyConnection, path: Path, names: list[str], on_read: OnRead
    ) -> Extract:
        """Read a file straight into its table, without row numbers."""
        refuse_truncated_record(path)
        notes = self._notes(self._header(path))
        # The general reader takes files with quotes and so on, and reports the line of an error.
        with ExitStack() as unused, suppress(NeedsFullParser):
            scratch = TemporaryDirectory(prefix="royalty_marked_lines_")
            unused.callback(scratch.cleanup)
            lines = Path(scratch.name) / "lines.csv"
            must_contain, fields = self.must_contain.encode(), len(names)
            rows_read = copy_matching_lines(
                path, lines, must_contain, self.header_row, fields, on_read
            )
            rows = con.sql(self.query_of_lines(lines, names))
            unused.pop_all()
            return Extract(rows, rows_read, None, scratch, notes, lines, tuple(names))
        refuse_forbidden_characters(path)
        rows = con.sql(self._query_of(self._reader(path, names)))
        return Extract(rows, None, None, notes=notes)

    def query_of_lines(self, lines: Path, names: Sequence[str]) -> str:
        """Return the query of the rows in a file of lines that the layout has checked.

        Raises ValueError for a name that is not the layout's.
        """
        known = {*self._served, *self.header}
        unknown = [name for name in names if name not in known and not _LEFT_OUT.fullmatch(name)]
        if unknown:
            raise ValueError(f"columns {unknown}")
        return self._query_of(self._reader(lines, list(names), copied=True))

    def _query_of(self, reader: str) -> str:
        return f"""
            select {self._columns()}, cast(null as varchar) as _sheet, cast(null as bigint) as _row
            from {reader} where {self.keep}
        """

    def _reader(self, path: Path, names: list[str], copied: bool = False) -> str:
        """Return the call that reads the file: the listed columns, all text, no detection.

        copied: the file holds lines of another one, without its header.
        """
        # The names are the table's own, or match `cell_headers`.
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
                "the column does not exist",
                where=path.name,
                expected="columns among " + ", ".join(self.table.columns),
                found=", ".join(unknown),
                fix="use columns of the raw table",
            )
        names = self._names(self._header(path))
        wanted = " and ".join(f'"{column}" = ?' for column in record)
        with TemporaryDirectory(prefix="royalty_converted_") as folder:
            if self._needs_conversion(path):
                path = convert_to_utf_8(path, Path(folder), self.fallback_encoding)
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
