"""JSON documents."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.layouts.layout import Extract, OnRead, RawTable, ignore
from dagster_project.layouts.xml_text import refuse_forbidden_cells

NAN = "NaN"
MAX_DEPTH = 100  # nested objects and lists; an SDMX message has twelve


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members. Raises ValueError for a repeated name."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"the member {names.most_common(1)[0][0]!r} twice in one object")
    return members


def read_document(path: Path, nan: list[str] | None = None) -> Any:
    """Return a JSON document, its numbers as the text they are written as.

    nan: gets an item for each NaN, which some publishers write for a missing figure; otherwise NaN
    is refused, as the infinities are.

    Raises ValueError for one of them, for a repeated member, and for a document nested deeper than
    MAX_DEPTH; UnicodeDecodeError and JSONDecodeError are ValueErrors too.
    """

    def constant(text: str) -> str:
        if nan is None or text != NAN:
            raise ValueError(f"{text}, which JSON does not have")
        nan.append(text)
        return text

    try:
        document = json.loads(
            path.read_text("utf-8-sig"),
            parse_float=str,
            parse_int=str,
            parse_constant=constant,
            object_pairs_hook=_members,
        )
    except RecursionError:
        raise ValueError(_too_deep()) from None
    inside = [document] if isinstance(document, dict | list) else []
    for _ in range(MAX_DEPTH):
        inside = [
            each
            for item in inside
            for each in (item.values() if isinstance(item, dict) else item)
            if isinstance(each, dict | list)
        ]
    if inside:
        raise ValueError(_too_deep())
    return document


def _too_deep() -> str:
    return f"objects and lists nested more than {MAX_DEPTH} deep"


def _misfit(error: Exception) -> str:
    """Describe why a document does not have a layout."""
    match error:
        case UnicodeDecodeError():
            return f"bytes that are not UTF-8 (byte {error.start})"
        case json.JSONDecodeError():
            return f"text that is not JSON (line {error.lineno}: {error.msg})"
        case KeyError():
            return f"a document without {error}"
    return f"a document with another structure ({error})"


def _extract(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    names: Sequence[str],
    rows: list[tuple[str | None, ...]],
) -> Extract:
    """Return rows as an extract. Raises BadInput for text that XML 1.0 does not allow."""
    refuse_forbidden_cells(path.name, rows, names)
    quoted = ", ".join(f'"{name}"' for name in names)
    values = {f"c{at}": [row[at] for row in rows] for at in range(len(names))}
    unnested = ", ".join(f'unnest($c{at}::varchar[]) as "{name}"' for at, name in enumerate(names))
    con.execute(
        f"""
        create table incoming as
        select {quoted}, cast(null as varchar) as _sheet, _row
        from (select {unnested}, unnest(range(1, {len(rows) + 1})) as _row)
        """,
        values,
    )
    return Extract(con.table("incoming"), len(rows), len(rows))


@dataclass(frozen=True)
class JsonLayout:
    """A JSON object whose member `root` lists the records; fields that are absent become NULL."""

    name: str
    table: RawTable
    root: str
    required: tuple[str, ...]

    def _rows(self, path: Path) -> list[tuple[str | None, ...]]:
        document = read_document(path)
        records = document.get(self.root) if isinstance(document, dict) else None
        if not isinstance(records, list) or not records:
            raise LookupError(f"no list {self.root!r}")
        rows = []
        for number, record in enumerate(records, 1):
            if not isinstance(record, dict):
                raise TypeError(f"record {number} is not an object")
            missing = [field for field in self.required if not record.get(field)]
            if missing:
                raise LookupError(f"record {number} without {', '.join(missing)}")
            cells = (record.get(column) for column in self.table.columns)
            rows.append(tuple(_cell(number, cell) for cell in cells))
        return rows

    def likeness(self, path: Path) -> float:
        return 1.0 if path.suffix == ".json" and self.mismatch(path) is None else 0.0

    def mismatch(self, path: Path) -> str | None:
        try:
            self._rows(path)
        except (ValueError, LookupError, TypeError) as error:
            return _misfit(error)
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        return _extract(con, path, self.table.columns, self._rows(path))


def _cell(number: int, value: Any) -> str | None:
    """Return a record's value as text. Raises TypeError for a nested one."""
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
    raise TypeError(f"record {number} holds {value!r} where a value belongs")


@dataclass(frozen=True)
class JsonDocumentLayout:
    """A JSON document that is more than a list of records; `parse` yields the raw table's rows.

    parse gets the document with its numbers as the text they are written as. It yields a value for
    each of the table's data columns, and raises LookupError, TypeError or ValueError where the
    document is not built as it should be. `_row` is the running number of the row. has_nan: NaN
    stands for a missing figure, the last of a row's values.
    """

    name: str
    table: RawTable
    parse: Callable[[Any], Iterator[tuple[str | None, ...]]]
    has_nan: bool = False

    def _rows(self, path: Path) -> list[tuple[str | None, ...]]:
        nan: list[str] = []
        document = read_document(path, nan if self.has_nan else None)
        rows = [
            tuple(_cell(number, cell) for cell in row)
            for number, row in enumerate(self.parse(document), 1)
        ]
        if len(nan) > sum(row[-1] == NAN for row in rows):
            raise ValueError(f"{NAN} in place of something else than a figure")
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
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            return _misfit(error)
        return None if rows else "a document without records"

    def read(self, con: duckdb.DuckDBPyConnection, path: Path, on_read: OnRead = ignore) -> Extract:
        return _extract(con, path, self.table.data_columns, self._rows(path))
