"""Workbooks (.xls, .xlsx), read sheet by sheet; the source's function finds cells by labels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import raise_if_machine_error
from dagster_project.layouts.cell_address import column_letter
from dagster_project.layouts.layout import Extract, OnRead, RawTable, ignore
from dagster_project.layouts.workbook import NOT_A_WORKBOOK, Workbook


@dataclass(frozen=True)
class Cell:
    """One cell that holds a figure (or a mark in its place), with its labels.

    labels: the raw table's columns, in their order. row and column count from 0. header: the value
    of `_column`, if not the spreadsheet's letter.
    """

    labels: tuple[str, ...]
    sheet: str
    row: int
    column: int
    text: str
    header: str = ""


@dataclass(frozen=True)
class WorkbookLayout:
    """A workbook with these sheets; `parse` finds its cells by their labels.

    The raw table is by cell: `_column` is the spreadsheet's letter, so that `_sheet`, `_column` and
    `_row` are the cell's address. `parse` raises BadInput if a label was moved or renamed.
    """

    name: str
    table: RawTable
    sheets: tuple[str, ...]
    parse: Callable[[Workbook], Iterator[Cell]]

    def likeness(self, path: Path) -> float:
        try:
            found = {name.strip() for name in Workbook(path).sheet_names}
        except NOT_A_WORKBOOK as error:
            raise_if_machine_error(error)
            return 0.0
        return 0.5 + len(found & {name.strip() for name in self.sheets}) / (2 * len(self.sheets))

    def mismatch(self, path: Path) -> str | None:
        try:
            names = Workbook(path).sheet_names
        except NOT_A_WORKBOOK as error:
            raise_if_machine_error(error)
            return f"a file that is not a workbook ({error})"
        served = {name.strip() for name in names}
        missing = [repr(sheet) for sheet in self.sheets if sheet.strip() not in served]
        if missing:
            return f"no sheet {', '.join(missing)} among {', '.join(repr(name) for name in names)}"
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        book = Workbook(path)
        try:
            cells = list(self.parse(book))
        except BadInput:
            book.refuse_errors(self.sheets)  # a label may be among them
            raise
        book.refuse_errors(cell.sheet for cell in cells)
        return extract_of(con, self.table, cells, book.rows_read)


def extract_of(
    con: duckdb.DuckDBPyConnection, table: RawTable, cells: list[Cell], rows_read: int
) -> Extract:
    """Return cells as an extract."""
    columns = [*table.columns, "_column", "value", "_sheet"]
    values = {
        "labels": [[label or None for label in cell.labels] for cell in cells],
        "headers": [cell.header or column_letter(cell.column) for cell in cells],
        "texts": [cell.text or None for cell in cells],
        "sheets": [cell.sheet or None for cell in cells],
        "rows": [cell.row + 1 for cell in cells],
    }
    labels = ", ".join(
        f'labels[{number}] as "{column}"' for number, column in enumerate(table.columns, start=1)
    )
    con.execute(
        f"""
        create table incoming as
        select {labels}, "_column", "value", _sheet, _row
        from (
            select
                unnest($labels::varchar[][]) as labels,
                unnest($headers::varchar[]) as "_column",
                unnest($texts::varchar[]) as "value",
                unnest($sheets::varchar[]) as _sheet,
                unnest($rows::bigint[]) as _row
        )
        """,
        values,
    )
    quoted = ", ".join(f'"{name}"' for name in columns)
    rows = con.sql(f"select {quoted}, _row from incoming")
    rows_kept = len({(cell.sheet, cell.row) for cell in cells})
    return Extract(rows, max(rows_read, rows_kept), rows_kept)  # cells of an empty row count too
