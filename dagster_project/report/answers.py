"""Queries and what they answer. A page shows no number but through here, with its query beside it.

A query is plain SQL that any client can run on the published file: values are written into it, not
bound to it.
"""

from dataclasses import dataclass
from typing import Any

import duckdb


@dataclass(frozen=True)
class Answer:
    """A query, the names of its columns, and its rows."""

    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __bool__(self) -> bool:
        """Whether there is any row."""
        return bool(self.rows)

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def values(self, column: str) -> list[Any]:
        """Return one column."""
        index = self.columns.index(column)
        return [row[index] for row in self.rows]

    def first(self, column: str) -> Any:
        """Return a column's value in the first row; None if there is no row."""
        return self.values(column)[0] if self.rows else None


def ask(con: duckdb.DuckDBPyConnection, sql: str) -> Answer:
    """Run a query on the published file."""
    cursor = con.execute(sql)
    columns = tuple(column[0] for column in cursor.description or ())
    return Answer(sql.strip(), columns, tuple(cursor.fetchall()))
