"""Comma-separated files that are read like a workbook's sheet: cell by cell, by labels."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.layouts.csv_file import (
    csv_records,
    likeness_of,
    markup,
    not_csv,
    refuse_forbidden_characters,
    refuse_truncated_record,
    wrong_names,
)
from dagster_project.layouts.layout import Extract, OnRead, RawTable, ignore
from dagster_project.layouts.workbook import Sheet
from dagster_project.layouts.workbook_layout import Cell, extract_of

MAX_BYTES = 64 << 20  # read into memory; the largest real file has 1 MB


@dataclass(frozen=True)
class CsvSheetLayout:
    """A sheet saved as CSV in UTF-8; `parse` finds its cells by their labels.

    For files of a few megabytes with different kinds of records: footers, or figures with labels
    both in a record and in the header. header: names in the first record, among others. The raw
    table is by cell, without a sheet.
    """

    name: str
    table: RawTable
    header: tuple[str, ...]
    parse: Callable[[Sheet], Iterator[Cell]]

    def likeness(self, path: Path) -> float:
        try:
            return likeness_of(next(csv_records(path), []), self.header)
        except (UnicodeDecodeError, csv.Error):
            return 0.0

    def mismatch(self, path: Path) -> str | None:
        try:
            found = [name.strip() for name in next(csv_records(path), [])]
        except (UnicodeDecodeError, csv.Error) as error:
            return not_csv(path, error)
        if page := markup(path):
            return page
        if path.stat().st_size > MAX_BYTES:
            return f"a file of {path.stat().st_size:,} bytes"
        wrong = wrong_names(found, self.header, [])
        return f"row 1: {wrong}" if wrong else None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        refuse_truncated_record(path)
        refuse_forbidden_characters(path)
        try:
            rows = list(csv_records(path))
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadInput(
                "the file is truncated or is not valid CSV",
                where=path.name,
                expected="records in UTF-8",
                found=not_csv(path, error),
                fix="fetch the file again",
            ) from error
        cells = list(self.parse(Sheet(path.name, "", rows)))
        for row in sorted({cell.row for cell in cells}):
            if len(rows[row]) != len(rows[0]):
                raise BadInput(
                    "a record with too few or too many fields",
                    where=f"{path.name}, row {row + 1}",
                    expected=f"{len(rows[0])} fields, as the header has",
                    found=str(len(rows[row])),
                    fix="fetch the file again",
                )
        return extract_of(con, self.table, cells, sum(any(row) for row in rows))
