"""The line filter on bulk files: the same rows as the full parser, or left to it."""

import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.base.errors import BadInput
from dagster_project.ingest.load_release import load_release
from dagster_project.layouts import CsvLayout, RawTable, csv_layout
from dagster_project.layouts import csv_line_filter as marked_lines
from dagster_project.layouts.csv_line_filter import NeedsFullParser, copy_matching_lines
from dagster_project.sources.source import Source, landed_release
from dagster_project.workbench.ledger_schema import create_ledger

TABLE = RawTable("made_up__bulk", ("code", "item", "value"))


def layout(mark: str) -> CsvLayout:
    return CsvLayout(
        "made-up bulk",
        TABLE,
        header_row=1,
        header=("Code", "Item", "Value"),
        keep="item like 'SH%'",
        natural_key=("code", "item"),
        must_contain=mark,
    )


HEADER = b"Code,Item,Value\n"
ROWS = b"A,SH,1\nB,SI,2\nSH,SI,3\nC,SH1,\nD,SJ,5\n"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(csv_layout, "BULK_BYTES", 0)
    folder = tmp_path / "landing" / "made_up" / "2021-01-01"
    folder.mkdir(parents=True)
    return folder / "bulk.csv"


DATABASE = duckdb.connect()  # one for all examples: to open it costs more than to read a file


def kept(path: Path, mark: str) -> list[tuple]:
    extract = layout(mark).read(DATABASE, path)
    rows = sorted(extract.rows.fetchall(), key=str)
    extract.close()
    return rows


def test_the_kept_records_and_the_number_of_all(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + HEADER + ROWS)
    with duckdb.connect() as con:
        extract = layout("SH").read(con, path)
        assert extract.rows_read == 5
        assert sorted(extract.rows.fetchall()) == [
            ("A", "SH", "1", None, None),
            ("C", "SH1", None, None, None),
        ]
        assert extract.scratch
        assert Path(extract.scratch.name).exists()
        extract.close()
        assert not Path(extract.scratch.name).exists()


cells = st.text(alphabet="SH1. -", max_size=4)
records = st.tuples(cells, st.sampled_from(["SH", "SH1", "S", "H", "", "xSHx"]), cells)


@given(
    rows=st.lists(records, max_size=60),
    line_end=st.sampled_from(["\n", "\r\n"]),
    block=st.sampled_from([32, 40, 64, 1 << 19]),
)
@settings(deadline=None, max_examples=150)
def test_as_the_general_reader_reads_it(
    rows: list[tuple[str, str, str]], line_end: str, block: int
) -> None:
    text = "".join(",".join(cells) + line_end for cells in [("Code", "Item", "Value"), *rows])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_layout, "BULK_BYTES", 0)
        patch.setattr(marked_lines, "_BLOCK_BYTES", block)
        path = Path(folder) / "bulk.csv"
        path.write_bytes(text.encode())
        assert kept(path, "SH") == kept(path, "")
        copied = copy_matching_lines(path, Path(folder) / "lines", b"SH", 1, 3)
        assert copied == len(rows)


def test_few_lines_are_copied_from_many(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marked_lines, "_BLOCK_BYTES", 1 << 12)
    other = b"".join(b"A,%d,1\n" % number for number in range(10_000))
    path.write_bytes(HEADER + other + b"A,SH,1\nB,SH,2\n" + other + b"C,SH,3\n" + other)
    lines = path.with_name("lines")
    assert copy_matching_lines(path, lines, b"SH", 1, 3) == 30_003
    found = lines.read_bytes().splitlines()
    assert [line for line in found if b"SH" in line] == [b"A,SH,1", b"B,SH,2", b"C,SH,3"]
    assert len(found) < 20


def test_a_long_line_is_copied_once(path: Path) -> None:
    line = b"SH" + b"x" * 300 + b",SH," + b"y" * 300 + b"SH\n"
    path.write_bytes(HEADER + line + b"A,SI,1\n")
    lines = path.with_name("lines")
    assert copy_matching_lines(path, lines, b"SH", 1, 3) == 2
    assert lines.read_bytes().count(line) == 1


NOT_PLAIN = {
    "a quote": ROWS + b'"E",SH,6\n',
    "a character that is not ASCII": ROWS + "Ø,SK,6\n".encode(),
    "no line feed at the end": ROWS + b"E,SK,6",
    "a comma too many": ROWS + b"E,SK,6,7\n",
    "a comma too few": ROWS + b"E,SK\n",
    "a carriage return in a line": ROWS + b"E\r,SK,6\n",
    "line ends of two kinds": ROWS + b"E,SK,6\r\n",
    "one carriage return too many and one too few": b"A\r,SH,1\r\nB,SI,2\n",
    "a line without end": ROWS + b"E,SK," + b"6" * 300,
}


@pytest.mark.parametrize("content", NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_files_that_need_the_full_parser_are_recognized(
    path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked_lines, "_BLOCK_BYTES", 64)
    path.write_bytes(HEADER + content)
    with pytest.raises(NeedsFullParser):
        copy_matching_lines(path, path.with_name("lines"), b"SH", 1, 3)


def test_the_full_parser_reads_files_that_the_filter_leaves(path: Path) -> None:
    path.write_bytes(HEADER + ROWS + '"SH\nE",SH,"1,5"\nØ,SH2,7\n'.encode())
    assert kept(path, "SH") == kept(path, "")
    assert ("SH\nE", "SH", "1,5", None, None) in kept(path, "SH")


def loaded(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    create_ledger(con)
    source = Source("made_up", (TABLE,), (layout("SH"),), (TABLE,))
    load_release(con, source, landed_release("made_up", path.parent))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (ROWS + b"E,SK\n", 7),  # the fault is in a line that is not kept
        (ROWS + b"E,SH\nF,SH,1,2\n", 7),  # one field too few, and one too many in the next
    ],
)
def test_the_faulty_line_is_reported(path: Path, content: bytes, line: int) -> None:
    path.write_bytes(HEADER + content)
    with duckdb.connect() as con, pytest.raises(BadInput) as refused:
        loaded(con, path)
    assert refused.value.where == f"bulk.csv, line {line}"


def test_records_are_counted_as_they_are_loaded(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    path.write_bytes(HEADER + ROWS)
    with duckdb.connect() as con:
        loaded(con, path)
        read_and_kept = con.execute("select rows_read, rows_kept from audit.releases").fetchall()
        assert read_and_kept == [(5, 2)]
        assert con.execute("select code from raw.made_up__bulk order by 1").fetchall() == [
            ("A",),
            ("C",),
        ]
    assert not list(scratch.iterdir())
