"""Comma-separated files."""

import codecs
import csv
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.layouts.csv_line_filter import NeedsFullParser, copy_matching_lines
from dagster_project.layouts.layout import Extract, OnRead, RawTable, as_pattern, ignore

_LONGEST_LINE = 1 << 20  # characters: a file without line ends is not read into memory

# Larger files are read once, straight into the raw table, and their rows are not numbered.
BULK_BYTES = 32 << 20

_SAVE_AS = "save it as 'CSV UTF-8' with commas and decimal points, or use the publisher's own file"

# What a thread takes at a time of the lines that were copied: small, so that all end together.
_BUFFER_BYTES = 4 << 20


@dataclass(frozen=True)
class CsvLayout:
    """A comma-separated file in UTF-8 whose header is in a known record.

    Columns are found by their names: their order, and columns that the layout does not know, are
    reported and cost nothing. A column that is missing, or there twice, is fatal. Where the
    publisher's names are not unique (none at all, say), the first columns are taken as they come.
    Blanks around names do not matter, nor do records without any text, as spreadsheets write.

    header_row: the record that holds the header, from 1; the records before it are preamble.
    header: the header's cells as served, for the table's columns in order; where a table by cell
        is served with one record per cell, for `_column` and `value` too.
    cell_headers: what the headers of columns of figures look like; one row per cell. Blanks around
        labels and figures are left out, as they are of a workbook's.
    consecutive: these headers are whole numbers, each one more than the one before it (years), or
        each one less.
    cell_header_column: the column of the table, not of the file, that such a header goes into
        beside `_column`. For tables that a workbook fills too, where `_column` is a letter.
    keep: a SQL predicate over the table's columns; the other rows are counted and left out.
    partial: few of many columns are taken; neither the others nor their order are reported.
    absent: columns of the table that this layout's files do not have: NULL.
    fallback_encoding: the encoding of a file that is not in UTF-8, for publishers who serve both.
        Such a file is converted, piece by piece, before it is read. Its header is plain ASCII.
    natural_key: the columns that tell one record from all others. With it a bulk file can do
        without row numbers, which cost as much as reading (they keep DuckDB to one thread);
        `lines_of` finds the line of a record on request.
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
        """The table's columns, for a `select`."""
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
        """The headers of columns of figures."""
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
        """Whether the columns before the figures can be told by their names."""
        return len(set(self.header)) == len(self.header)

    def _names(self, header: list[str]) -> list[str]:
        """What the columns are called in the table; `_left_out_…` where it has none for them."""
        taken = {name: name for name in self._cells(header)}
        if self._has_names:
            taken |= dict(zip(self.header, self._served, strict=True))
        names = [taken.get(name, f"_left_out_{at}") for at, name in enumerate(header)]
        return names if self._has_names else [*self._served, *names[len(self.header) :]]

    def _notes(self, header: list[str]) -> tuple[str, ...]:
        """What differs from the layout, and does not matter."""
        known = [name for name in header if name in self.header]
        cells = set(self._cells(header))
        further = [
            name for name in header if name and name not in self.header and name not in cells
        ]
        notes = []
        if known != list(self.header) and not self.partial:
            notes.append(f"columns in another order: {_listed(known)}")
        if further and not self.partial:
            notes.append(f"further columns, left out: {_listed(further)}")
        return tuple(notes)

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        if not self._is_to_be_converted(path):
            return self._read(con, path, on_read)
        scratch = TemporaryDirectory(prefix="royalty_converted_")
        try:
            converted = _converted(path, Path(scratch.name), self.fallback_encoding)
            return replace(self._read(con, converted, on_read), scratch=scratch)
        except BaseException:
            scratch.cleanup()
            raise

    def _is_to_be_converted(self, path: Path) -> bool:
        return bool(self.fallback_encoding) and not _is_utf_8(path)

    def _read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead) -> Extract:
        header = self._header(path)
        cells, names = self._cells(header), self._names(header)
        served = ", ".join(f'"{column}"' for column in self._served)
        columns = self._columns()
        reader = self._reader(path, names)
        if self.natural_key and not cells and path.stat().st_size > BULK_BYTES:
            return self._read_bulk(con, path, names, on_read)
        refuse_zeros(path)
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
        refuse_half_a_record(path)
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
        """Raise BadInput if a column that is left out holds figures: its header may be damaged.

        Not for a column with a name of another kind, nor for the numbers of rows that programs
        write before the first column that is known.
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
                    "figures under a header that this layout does not know",
                    where=f"{path.name}, row {self.header_row}, column {names.index(left_out) + 1}",
                    expected=f"a header such as {self._cells(header)[-1]!r}, or no figures",
                    found=f"{name!r}, and {figures[0][1]!r} in row {figures[0][0]}",
                    fix="fetch the file again; if the publisher serves it so, add the column to the"
                    " layout in the source's module",
                )

    def _read_bulk(
        self, con: duckdb.DuckDBPyConnection, path: Path, names: list[str], on_read: OnRead
    ) -> Extract:
        """Read a file straight into its table, without numbers of rows."""
        refuse_half_a_record(path)
        notes = self._notes(self._header(path))
        rows_of = f"""
            select {self._columns()}, cast(null as varchar) as _sheet, cast(null as bigint) as _row
            from {{}} where {self.keep}
        """
        # The general reader takes what is not plain, and tells the line if there is anything amiss.
        with ExitStack() as unused, suppress(NeedsFullParser):
            if self.must_contain:
                scratch = TemporaryDirectory(prefix="royalty_marked_lines_")
                unused.callback(scratch.cleanup)
                lines = Path(scratch.name) / "lines.csv"
                must_contain, fields = self.must_contain.encode(), len(names)
                rows_read = copy_matching_lines(
                    path, lines, must_contain, self.header_row, fields, on_read
                )
                rows = con.sql(rows_of.format(self._reader(lines, names, copied=True)))
                unused.pop_all()
                return Extract(rows, rows_read, None, scratch, notes)
        rows = con.sql(rows_of.format(self._reader(path, names)))
        return Extract(rows, None, None, notes=notes)

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
        names = self._names(self._header(path))
        wanted = " and ".join(f'"{column}" = ?' for column in record)
        with TemporaryDirectory(prefix="royalty_converted_") as folder:
            if self._is_to_be_converted(path):
                path = _converted(path, Path(folder), self.fallback_encoding)
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


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _converted(path: Path, folder: Path, encoding: str) -> Path:
    """Return a copy of the file in UTF-8. Raises BadInput if it is not in the encoding."""
    target = folder / path.name
    try:
        with (
            path.open(encoding=encoding, newline="") as file,
            target.open("w", encoding="utf-8", newline="") as converted,
        ):
            shutil.copyfileobj(file, converted, 1 << 20)
    except UnicodeDecodeError as error:
        raise BadInput(
            "a file in an encoding that is not read",
            where=path.name,
            expected=f"UTF-8 or {encoding}",
            found=f"the byte {error.object[error.start]:#04x}, which neither has there",
            fix="fetch the file again; if a program saved it, have it save UTF-8",
        ) from error
    return target


def csv_records(path: Path, errors: str = "strict") -> Iterator[list[str]]:
    """Yield a file's records. Raises UnicodeDecodeError, csv.Error."""
    with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
        yield from csv.reader(iter(partial(file.readline, _LONGEST_LINE), ""), strict=True)


def _names_in(header: Iterable[str]) -> set[str]:
    """The names in a header, whatever stands between them."""
    return {name.strip('" ') for cell in header for name in re.split("[;\t]", cell)}


def likeness_of(found: Iterable[str], header: tuple[str, ...]) -> float:
    """The share of a layout's column names that a header has."""
    return len(_names_in(found) & set(header)) / len(header)


def not_csv(path: Path, error: UnicodeDecodeError | csv.Error) -> str:
    """Say what a file is that cannot be read as records."""
    if isinstance(error, csv.Error):
        return f"text that is not CSV ({error})"
    with path.open("rb") as file:
        start = file.read(2)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return f"UTF-16 (as a spreadsheet's 'Unicode Text'), not UTF-8; {_SAVE_AS}"
    return f"bytes that are not UTF-8 (byte {error.start}); if a spreadsheet wrote it, {_SAVE_AS}"


def markup(path: Path) -> str | None:
    """Say if a file is a web page or XML, as servers send instead of a file."""
    with path.open("rb") as file:
        start = file.read(200).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "an HTML or XML page"
    return None


def wrong_names(found: list[str], header: tuple[str, ...], cells: list[str]) -> str | None:
    """Say which columns of a layout a header lacks or has twice; None if it has each once."""
    missing = [name for name in header if name not in found]
    if missing and set(header) <= _names_in(found):
        return (
            "semicolons or tabs between columns, as spreadsheets write where the decimal sign is"
            f" a comma; {_SAVE_AS}"
        )
    unknown = [name for name in found if name and name not in header and name not in cells]
    twice = [name for name in dict.fromkeys((*header, *cells)) if found.count(name) > 1]
    parts = [f"the column {_listed(twice)} twice"] if twice else []
    if missing:
        instead = f"{_listed(unknown[:5])} instead of" if unknown else "no column"
        parts.append(f"{instead} {_listed(missing)}")
    return "; ".join(parts) or None


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))


def refuse_half_a_record(path: Path) -> None:
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


def refuse_zeros(path: Path) -> None:
    """Raise BadInput for a byte of zero: a block of a file that was lost in a copy reads so.

    Where it covers a code, its records would be taken for those of another subject.
    """
    at = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            if b"\0" in chunk:
                raise BadInput(
                    "a file with bytes of zero",
                    where=f"{path.name}, byte {at + chunk.index(0) + 1:,}",
                    expected="text",
                    found="zeros, as a copy leaves where a block was lost",
                    fix="fetch the file again",
                )
            at += len(chunk)


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
        fix="fetch the file again; if a spreadsheet wrote it, save it as 'CSV UTF-8'; if the"
        " publisher serves it so, report it",
    )
