"""JSON documents."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.layouts.layout import Extract, OnRead, RawTable, as_pattern, ignore


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members. Raises ValueError for a repeated name."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} twice in one object")
    return members


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
            document = json.loads(path.read_text("utf-8"), object_pairs_hook=_members)
        except UnicodeDecodeError as error:
            return f"bytes that are not UTF-8 (byte {error.start})"
        except json.JSONDecodeError as error:
            return f"text that is not JSON (line {error.lineno}: {error.msg})"
        except (ValueError, RecursionError) as error:
            return f"a document with another structure ({error})"
        records = document.get(self.root) if isinstance(document, dict) else None
        if not isinstance(records, list) or not records:
            return f"no list {self.root!r}"
        for number, record in enumerate(records, 1):
            missing = [field for field in self.required if not record.get(field)]
            if missing:
                return f"record {number} without {', '.join(missing)}"
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        fields = ", ".join(f'"{column}" varchar' for column in self.table.columns)
        con.read_json(as_pattern(path), columns={self.root: f"struct({fields})[]"}).to_table(
            "document"
        )
        columns = ", ".join(f'record."{column}"' for column in self.table.columns)
        con.execute(
            f"""
            create table incoming as
            select {columns}, cast(null as varchar) as _sheet, _row
            from (
                select
                    unnest("{self.root}") as record,
                    generate_subscripts("{self.root}", 1) as _row
                from document
            )
            """
        )
        con.execute("drop table document")
        rows = con.table("incoming")
        return Extract(rows, len(rows), len(rows))


@dataclass(frozen=True)
class JsonDocumentLayout:
    """A JSON document that is more than a list of records; `parse` yields the raw table's rows.

    parse gets the document with its numbers as the text they are written as. It yields a value for
    each of the table's data columns, and raises LookupError, TypeError or ValueError where the
    document is not built as it should be. `_row` is the running number of the row.
    """

    name: str
    table: RawTable
    parse: Callable[[Any], Iterator[tuple[str | None, ...]]]

    def _rows(self, path: Path) -> list[tuple[str | None, ...]]:
        document = json.loads(
            path.read_text("utf-8-sig"),
            parse_float=str,
            parse_int=str,
            object_pairs_hook=_members,
        )
        rows = list(self.parse(document))
        for number, row in enumerate(rows, 1):
            nested = [cell for cell in row if cell is not None and not isinstance(cell, str)]
            if nested:
                raise TypeError(f"record {number} holds {nested[0]!r} where a value belongs")
        return rows

    def likeness(self, path: Path) -> float:
        with path.open("rb") as file:
            start = file.read(100).lstrip(b"\xef\xbb\xbf \r\n\t")
        return 0.5 if start.startswith((b"{", b"[")) else 0.0

    def mismatch(self, path: Path) -> str | None:
        if self.likeness(path) == 0:
            return "text that is not JSON"
        try:
            rows = self._rows(path)
        except UnicodeDecodeError as error:
            return f"bytes that are not UTF-8 (byte {error.start})"
        except json.JSONDecodeError as error:
            return f"text that is not JSON (line {error.lineno}: {error.msg})"
        except KeyError as error:
            return f"a document without {error}"
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            return f"a document with another structure ({error})"
        return None if rows else "a document without records"

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        rows = self._rows(path)
        names = self.table.data_columns
        quoted = ", ".join(f'"{name}"' for name in names)
        values = {f"c{at}": [row[at] for row in rows] for at in range(len(names))}
        unnested = ", ".join(
            f'unnest($c{at}::varchar[]) as "{name}"' for at, name in enumerate(names)
        )
        con.execute(
            f"""
            create table incoming as
            select {quoted}, cast(null as varchar) as _sheet, _row
            from (select {unnested}, unnest(range(1, {len(rows) + 1})) as _row)
            """,
            values,
        )
        return Extract(con.table("incoming"), len(rows), len(rows))
