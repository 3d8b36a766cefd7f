"""Properties of the layouts: generated files are read back, and every failure is a BadInput."""

import contextlib
import csv
import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import duckdb
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook as Written

from dagster_project.base.errors import BadInput
from dagster_project.ingest.load_release import load_release
from dagster_project.layouts import (
    Cell,
    CsvLayout,
    JsonDocumentLayout,
    JsonLayout,
    Layout,
    RawTable,
    Workbook,
    WorkbookLayout,
    layout_of,
)
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release
from dagster_project.workbench.ledger_schema import create_ledger
from tests.support import MADE_UP

SETTINGS = settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TABLE = RawTable("made_up", ("one", "two", "three"))
BY_YEAR = RawTable("made_up", ("code",), by_cell=True)

# Everything that XML 1.0 can say; a workbook cannot hold the other control characters either.
_CONTROLS = "".join(map(chr, {*range(32)} - {9, 10, 13}))
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters=f"{_CONTROLS}\ufffe\uffff"), max_size=8
)
IN_XML = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=8)
RECORDS = st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=6)


def as_read(content: bytes, layout: Layout, suffix: str) -> list[tuple]:
    """The rows that a layout reads from a file, without the sheet."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        path = Path(folder) / f"made_up{suffix}"
        path.write_bytes(content)
        rows = layout_of(path, (layout,)).read(con, path).rows
        columns = ", ".join(f'"{name}"' for name in layout.table.data_columns)
        return rows.select(f"{columns}, _row").order("_row").fetchall()


def none_if_empty(record: tuple[str, ...]) -> tuple[str | None, ...]:
    return tuple(cell or None for cell in record)


def without_spaces(text: str) -> str | None:
    """A cell as it is read where labels and figures are trimmed, of whatever spaces."""
    return text.strip("".join(filter(is_space, text))) or None


def is_space(letter: str) -> bool:
    return unicodedata.category(letter) == "Zs"


def as_csv(records: list[tuple[str, ...]], quoting: Any, end: str) -> bytes:
    text = io.StringIO(newline="")
    if any("\r" in cell for record in records for cell in record):
        quoting = csv.QUOTE_ALL  # Python does not quote a carriage return before a line feed
    csv.writer(text, quoting=quoting, lineterminator=end).writerows(records)
    return text.getvalue().encode()


@SETTINGS
@given(
    RECORDS,
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_generated_csv_is_read_back(
    records: list[tuple[str, ...]], quoting: Any, end: str, mark: bool
) -> None:
    layout = CsvLayout("made up", TABLE, 1, TABLE.columns)
    content = as_csv([TABLE.columns, *records], quoting, end)
    read = as_read(b"\xef\xbb\xbf" * mark + content, layout, ".csv")
    assert read == [
        (*none_if_empty(record), row)
        for row, record in enumerate(records, 2)
        if any(map(without_spaces, record))
    ]


@SETTINGS
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4))
def test_every_cell_of_a_wide_table_is_read_under_its_year(records: list[tuple[str, ...]]) -> None:
    layout = CsvLayout(
        "made up", BY_YEAR, 1, ("code",), cell_headers=re.compile("[0-9]{4}"), consecutive=True
    )
    content = as_csv([("code", "2019", "2020"), *records], csv.QUOTE_ALL, "\n")
    read = as_read(content, layout, ".csv")
    assert read == [
        (without_spaces(code), year, without_spaces(value), row)
        for row, (code, *values) in enumerate(records, 2)
        if any(map(without_spaces, (code, *values)))
        for year, value in zip(("2019", "2020"), values, strict=True)
    ]


@SETTINGS
@given(RECORDS, st.booleans())
def test_generated_json_is_read_back(records: list[tuple[str, ...]], ascii_: bool) -> None:
    document = {"things": [dict(zip(TABLE.columns, record, strict=True)) for record in records]}
    content = json.dumps(document, ensure_ascii=ascii_).encode()
    expected = [(*record, row) for row, record in enumerate(records, 1)]
    parsed = JsonDocumentLayout(
        "made up", TABLE, lambda found: (tuple(one.values()) for one in found["things"])
    )
    assert as_read(content, parsed, ".json") == expected
    assert as_read(content, JsonLayout("made up", TABLE, "things", ()), ".json") == expected


def _cells(book: Workbook) -> Iterator[Cell]:
    sheet = book.sheet("Sheet")
    for row, texts in enumerate(sheet.rows):
        for column, text in enumerate(texts):
            yield Cell((texts[0],), sheet.name, row, column, text)


@SETTINGS
@given(st.lists(st.tuples(IN_XML, IN_XML), min_size=1, max_size=5))
def test_a_generated_workbook_is_read_back(records: list[tuple[str, ...]]) -> None:
    # A text that begins like a formula is a formula, and `_x0041_` is an escape.
    assume(not any(cell.startswith("=") or "_x" in cell for record in records for cell in record))
    assume(all(record[0] for record in records))
    written = Written()
    assert written.active
    for record in records:
        written.active.append(["'" + cell for cell in record])
    buffer = io.BytesIO()
    written.save(buffer)
    layout = WorkbookLayout("made up", BY_YEAR, ("Sheet",), _cells)
    read = as_read(buffer.getvalue(), layout, ".xlsx")
    assert sorted(read) == sorted(
        ("'" + record[0], letter, "'" + cell, row)
        for row, record in enumerate(records, 1)
        for letter, cell in zip("AB", record, strict=True)
    )


FILES = [path for path in sorted(MADE_UP.rglob("*.*")) if path.is_file()]
STARTS = [
    b"",
    b"PK\x03\x04",
    b"PK\x05\x06",
    bytes.fromhex("d0cf11e0a1b11ae1"),
    b"{",
    b"[",
    b"\xff\xfe",
]


@settings(SETTINGS, max_examples=150)
@given(
    st.sampled_from(sorted(all_sources())),
    st.one_of(
        st.tuples(st.sampled_from(STARTS), st.binary(max_size=200)).map(b"".join),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.tuples(st.sampled_from(FILES), st.integers(0, 3000), st.binary(max_size=12)).map(
            lambda cut: cut[0].read_bytes()[: cut[1]] + cut[2] + cut[0].read_bytes()[cut[1] :]
        ),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: st.one_of(
                st.lists(inner, min_size=1, max_size=3),
                st.dictionaries(
                    st.sampled_from(["BEAAPI", "Results", "Data", "RESULTSET"]), inner, min_size=1
                ),
            ),
            max_leaves=8,
        ).map(lambda document: json.dumps(document).encode()),
    ),
)
def test_any_file_is_either_loaded_or_refused(source: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        path = Path(folder) / "made_up.file"
        path.write_bytes(content)
        create_ledger(con)
        release = Release(source, date(2021, 9, 15), (path,))
        with contextlib.suppress(BadInput):
            load_release(con, all_sources()[source], release)
        statuses = con.execute("select distinct status, reason from audit.releases").fetchall()
        assert statuses in ([("loaded", None)], [("rejected", ANY)])
        ((_, reason),) = statuses
        assert reason is None or ("made_up.file" in reason and reason.isprintable())
