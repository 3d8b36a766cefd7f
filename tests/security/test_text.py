"""Text that XML 1.0 does not allow is refused at every layout, with its place and code point."""

import json
from pathlib import Path

import pytest

from dagster_project.base.errors import BadInput
from dagster_project.layouts import Layout, csv_layout
from tests.security.hostile import (
    BOOK,
    BULK,
    CSV,
    CSV_SHEET,
    DATASET,
    DOCUMENT,
    JSON,
    ROWS,
    SHEET,
    archive,
    book,
    load,
    release_in,
    workbench,
    zipped,
)

CONTROLS = ["\x01", "\x07", "\x08", "\x0b", "\x1b", "\x1f", "\ufffe", "\uffff"]


def refused(folder: Path, name: str, content: bytes, layout: Layout) -> BadInput:
    """The error of a release of one file."""
    with workbench() as con, pytest.raises(BadInput) as caught:
        load(con, release_in(folder, {name: content}), layout)
    return caught.value


def names(problem: BadInput, letter: str, row: str, column: str) -> None:
    """Check that an error names the place and the character."""
    assert problem.what == "a character that no text may hold"
    assert f"U+{ord(letter):04X}" in problem.found
    assert row in problem.where
    assert column in problem.where


@pytest.mark.parametrize("letter", CONTROLS)
def test_in_a_csv_file(tmp_path: Path, letter: str) -> None:
    content = f"code,name\nA,Japan\nB,Jap{letter}an\n".encode()
    names(refused(tmp_path, "a.csv", content, CSV), letter, "a.csv, row 3", "column 2 'name'")


@pytest.mark.parametrize("letter", ["\x1b", "\ufffe"])
@pytest.mark.parametrize("quote", ["", '"'], ids=["lines filtered", "parsed by DuckDB"])
def test_in_a_bulk_csv_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, letter: str, quote: str
) -> None:
    monkeypatch.setattr(csv_layout, "BULK_BYTES", 10)
    content = f"code,name\nA,SH\n{quote}B{quote},SH Jap{letter}an\n".encode()
    names(refused(tmp_path, "a.csv", content, BULK), letter, "a.csv, row 3", "column 2")


def test_across_two_blocks_of_a_file(tmp_path: Path) -> None:
    start = b"code,name\n"
    content = start + b"A" * ((1 << 20) - len(start) - 1) + b"\xef\xbf\xbe,x\n"
    names(refused(tmp_path, "a.csv", content[:100] + content[-9:], CSV), "\ufffe", "row 2", "1")
    from dagster_project.layouts.xml_text import has_forbidden_bytes

    path = tmp_path / "long"
    for shift in range(4):
        path.write_bytes("é".encode() + b"A" * ((1 << 20) - 2 - shift) + b"\xef\xbf\xbe,x\n")
        assert has_forbidden_bytes(path)


@pytest.mark.parametrize("letter", ["\x1b", "\ufffe"])
def test_in_a_sheet_saved_as_csv(tmp_path: Path, letter: str) -> None:
    content = f"label,figure\nJap{letter}an,1\n".encode()
    names(refused(tmp_path, "a.csv", content, CSV_SHEET), letter, "row 2", "column 1 'label'")


@pytest.mark.parametrize("letter", [*CONTROLS, "\ud800", "\0"])
@pytest.mark.parametrize("layout", [JSON, DOCUMENT])
def test_in_a_json_document(tmp_path: Path, letter: str, layout: Layout) -> None:
    records = [{"code": "A", "name": "Japan"}, {"code": "B", "name": f"Jap{letter}an"}]
    root = "things" if layout is JSON else "rows"
    content = json.dumps({root: records}).encode()
    problem = refused(tmp_path, "a.json", content, layout)
    names(problem, letter, "a.json, row 2", "column name")


def sdmx_json(name: str) -> bytes:
    """A message of one observation, whose note is the given text."""
    dimensions = [
        {"id": "GEO", "values": [{"id": "JP"}]},
        {"id": "ITEM", "values": [{"id": "SH"}]},
        {"id": "TIME_PERIOD", "values": [{"id": "2019"}]},
    ]
    return json.dumps(
        {
            "data": {
                "structure": {
                    "dimensions": {"observation": dimensions},
                    "attributes": {"observation": [{"id": "NOTE"}]},
                },
                "dataSets": [{"observations": {"0:0:0": [1.5, name]}}],
            }
        }
    ).encode()


@pytest.mark.parametrize("letter", ["\x1b", "\ufffe", "\ud800"])
def test_in_an_sdmx_json_message(tmp_path: Path, letter: str) -> None:
    with workbench() as con:
        load(con, release_in(tmp_path / "good", {"a.json": sdmx_json("fine")}), *DATASET.layouts)
    content = sdmx_json(f"Jap{letter}an")
    with workbench() as con, pytest.raises(BadInput) as caught:
        load(con, release_in(tmp_path, {"a.json": content}), *DATASET.layouts)
    names(caught.value, letter, "a.json, row 1", "column note")


@pytest.mark.parametrize("text", ["&#x1b;", "&#xfffe;", "\x1b", "\ufffe", "&#xd800;"])
def test_in_an_sdmx_ml_message(tmp_path: Path, text: str) -> None:
    message = (
        "<m:StructureSpecificData xmlns:m='x'><m:DataSet><Obs GEO='JP' ITEM='SH'"
        " TIME_PERIOD='2019' NOTE='{}' OBS_VALUE='1'/></m:DataSet></m:StructureSpecificData>"
    )
    with workbench() as con:
        content = message.format("fine").encode()
        load(con, release_in(tmp_path / "good", {"a.xml": content}), *DATASET.layouts)
    content = message.format(text).encode()
    with workbench() as con, pytest.raises(BadInput) as caught:
        load(con, release_in(tmp_path, {"a.xml": content}), *DATASET.layouts)
    assert "line 1, column" in caught.value.found  # the parser refuses it, with its place


@pytest.mark.parametrize("letter", ["\x1b", "\ufffe"])
@pytest.mark.parametrize("format_", ["csv", "tsv"])
def test_in_sdmx_csv_and_tsv(tmp_path: Path, letter: str, format_: str) -> None:
    content = (
        f"GEO,ITEM,TIME_PERIOD,OBS_VALUE\nJ{letter}P,SH,2019,1\n"
        if format_ == "csv"
        else f"geo,item\\TIME_PERIOD\t2019 \nJ{letter}P,SH\t1 \n"
    )
    with workbench() as con, pytest.raises(BadInput) as caught:
        load(con, release_in(tmp_path, {f"a.{format_}": content.encode()}), *DATASET.layouts)
    names(caught.value, letter, "row 2", "column")


@pytest.mark.parametrize("cell", ["A2", "B2"])
def test_in_a_workbook(tmp_path: Path, cell: str) -> None:
    # Excel writes a control character in this way, and the reader decodes it.
    old, new = {"A2": ("Japan", "Jap_x001B_an"), "B2": ("<v>1</v>", "<is><t>_x001B_</t></is>")}[
        cell
    ]
    rows = ROWS.replace(old, new).replace("r='B2'><is>", "r='B2' t='inlineStr'><is>")
    problem = refused(tmp_path, "a.xlsx", book(tmp_path, SHEET.format(rows=rows)), BOOK)
    names(problem, "\x1b", f"cell {cell} (row 2", f"column {' AB'.index(cell[0])}")


def test_in_an_archive(tmp_path: Path) -> None:
    content = archive(tmp_path / "a.tmp", {"data.csv": "code,name\nA,Jap\x1ban\n"})
    problem = refused(tmp_path, "a.zip", content, zipped(CSV))
    names(problem, "\x1b", "a.zip, member, row 2", "column 2")


def test_what_xml_allows_is_kept(tmp_path: Path) -> None:
    text = "Ñandú\t中国\U0001f600\x85\u2028\ufffd"
    with workbench() as con:
        load(con, release_in(tmp_path, {"a.csv": f'code,name\nA,"{text}"\n'.encode()}), CSV)
        assert con.execute("select name from raw.made_up__things").fetchall() == [(text,)]
