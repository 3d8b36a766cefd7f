"""Fuzzing of the layouts: `make test-fuzz MINUTES=10`, or `python -m tests.security`.

Files of every layout are changed at random, by bytes and by the syntax of their kind. Each must be
read, as text that XML 1.0 allows, or refused with one printable line, which never blames the
machine. Hypothesis chooses and shrinks the changes. Each round runs in a child, as a load does: a
file that ends it is kept in `.cache/fuzz/`, and fails the run.
"""

import argparse
import shutil
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from hypothesis import HealthCheck, Phase, given, seed, settings, target
from hypothesis import strategies as st

from dagster_project.base.child import ChildDied, ChildLimits, run_in_child
from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import MachineError
from dagster_project.ingest import release_reader
from dagster_project.layouts import Layout, csv_layout
from dagster_project.layouts.xml_text import is_forbidden
from dagster_project.layouts.zip_layout import unpacked_once
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
    book,
    source_of,
    zipped,
)
from tests.support import MADE_UP

KEPT = Path(".cache/fuzz")
SECONDS_PER_FILE = 20
_LIMITS = ChildLimits(memory=4 << 30, seconds=900)

_CSV = b"code,name\nA,Japan\nB,SH\n" * 3
_THINGS = b'{"things": [{"code": "A", "name": "Japan"}, {"code": "B", "name": null}]}'
_ROWS = b'{"rows": [{"code": "A", "name": "Japan"}, {"code": "B", "name": "x"}]}'
_ML = (
    b"<m:StructureSpecificData xmlns:m='x'><m:Header/><m:DataSet><Series GEO='JP' ITEM='SH'>"
    b"<Obs TIME_PERIOD='2019' NOTE='n' OBS_VALUE='1'/></Series></m:DataSet>"
    b"</m:StructureSpecificData>"
)
_SDMX_JSON = (
    b'{"data": {"dataSets": [{"observations": {"0:0:0": [1.5, "n"]}}], "structure": {"dimensions":'
    b' {"observation": [{"id": "GEO", "values": [{"id": "JP"}]}, {"id": "ITEM", "values":'
    b' [{"id": "SH"}]}, {"id": "TIME_PERIOD", "values": [{"id": "2019"}]}]}, "attributes":'
    b' {"observation": [{"id": "NOTE"}]}}}}'
)
_TSV = b"geo,item\\TIME_PERIOD\t2019 \t2020 \nJP,SH\t1 \t: \n"
_SDMX_CSV = b"DATAFLOW,GEO,ITEM,TIME_PERIOD,OBS_VALUE,NOTE\nx,JP,SH,2019,1,n\n"


_ZIPPED: tuple[Layout, ...] = (CSV, JSON, BOOK, *DATASET.layouts)


@dataclass(frozen=True)
class Target:
    """A layout to fuzz: the name of its files, and files that it reads."""

    file: str
    layouts: tuple[Layout, ...]
    seeds: tuple[bytes, ...]


def targets() -> dict[str, Target]:
    """Return the targets by name."""
    with TemporaryDirectory() as folder:
        books = tuple(path.read_bytes() for path in sorted(MADE_UP.rglob("*.xls*"))[:2])
        good = book(Path(folder), SHEET.format(rows=ROWS))
    sdmx = DATASET.layouts
    return {
        "csv": Target("a.csv", (CSV, CSV_SHEET), (_CSV, b"label,figure\nJapan,1\n")),
        "bulk csv": Target("a.csv", (BULK,), (_CSV,)),
        "json": Target("a.json", (JSON, DOCUMENT), (_THINGS, _ROWS)),
        "sdmx": Target("a.sdmx", sdmx, (_ML, _SDMX_JSON, _TSV, _SDMX_CSV)),
        "workbook": Target("a.xlsx", (BOOK,), (good, *books)),
        "zip": Target(
            "a.zip",
            tuple(map(zipped, _ZIPPED)),
            (
                *(_zip({f"data.{kind}": content}) for kind, content in _MEMBERS.items()),
                _zip({"data.xlsx": good}),
            ),
        ),
    }


_MEMBERS = {"csv": _CSV, "json": _THINGS, "xml": _ML, "tsv": _TSV}

# What parsers trip over.
_TEXTS = """
"" " , ; \' { } ] null true NaN -Infinity 1e308 0000 9999 -1 \\u0000 \\ud800 < > </ /> <a> &#x1b;
&b; <![CDATA[ <v>99999999999</v> <row/> <c/> PK\x01\x02 PK\x03\x04 PK\x05\x06 _x0000_ _x001B_
__MACOSX/ ../ SH code OBS_VALUE Obs \ufeff \ufffe \x85 é
"""
_TOKENS = (
    *(bytes([byte]) for byte in (0, 7, 9, 10, 13, 27, 127, 128, 255)),
    *(text.encode() for text in _TEXTS.split()),
    b"\r\n",
    b"\xed\xa0\x80",  # half a surrogate pair
    b"1" * 5000,
    b"[" * 300,
    b'{"a":' * 300,
    b"<x-y:row r='1048576'><x-y:c r='XFD1048576'><x-y:v>1</x-y:v></x-y:c></x-y:row>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"<dimension ref='A1:XFD1048576'/>",
    b" r='XFD1048576'",
    b" t='s'",
    b" t='e'",
    b" xmlns='x'",
)

_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "insert", "delete", "repeat", "truncate", "replace"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(st.sampled_from(_TOKENS), st.binary(min_size=1, max_size=4)),
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=6,
)


def changed(content: bytes, changes: Sequence[tuple[str, float, bytes, int]]) -> bytes:
    """Return a file with these changes, each at a place from 0 to 1."""
    for kind, place, token, size in changes:
        at = int(place * len(content))
        before, after = content[:at], content[at:]
        match kind:
            case "flip":
                content = before + bytes([after[0] ^ token[0]]) + after[1:] if after else before
            case "insert":
                content = before + token + after
            case "delete":
                content = before + after[size:]
            case "repeat":
                content = before + after[:size] * (size if size < 20 else 500) + after
            case "truncate":
                content = before
            case "replace":
                content = before + token + after[len(token) :]
    return content


def _zip(members: dict[str, bytes]) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, member in members.items():
            file.writestr(name, member)
    return content.getvalue()


def changed_member(
    content: bytes, place: float, changes: Sequence[tuple[str, float, bytes, int]]
) -> bytes:
    """Return an archive with these changes in one of its members, packed again."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as file:
            members = {name: file.read(name) for name in file.namelist()}
    except zipfile.BadZipFile:  # an .xls
        return changed(content, changes)
    name = sorted(members)[int(place * len(members))]
    return _zip({**members, name: changed(members[name], changes)})


def check(folder: Path, name: str, of: Target, content: bytes) -> str:
    """Read a file as a load does, and return what came of it. Raises AssertionError."""
    path, rows_file = folder / of.file, folder / "rows-0"
    path.write_bytes(content)
    source = source_of(*of.layouts)
    began = time.monotonic()
    csv_layout.BULK_BYTES = 1 if name == "bulk csv" else 32 << 20
    with duckdb.connect(config={"threads": 1}) as con, unpacked_once():
        problem = None
        try:
            with release_reader._as_bad_input(path):
                facts = release_reader._read_file(con, source, path, rows_file, _ignore)
        except BadInput as error:
            problem = error
        if problem:
            assert not isinstance(problem, MachineError), f"the machine was blamed: {problem}"
            assert str(problem).isprintable(), f"a message that cannot be printed: {problem!r}"
            assert problem.where, "no place"
        else:
            read = release_reader.FileRead(**facts)
            rows = con.execute(release_reader.rows_query(source, read, 0, folder)).fetchall()
            assert read.rows_kept is None or read.rows_kept <= read.rows_read
            texts = [cell for row in rows for cell in row if isinstance(cell, str)]
            assert not any(map(is_forbidden, texts)), "a character that XML does not allow"
            target(float(min(len(rows), 1000)), label="rows")
    took = time.monotonic() - began
    assert took < SECONDS_PER_FILE, f"{took:.0f} seconds for {len(content):,} bytes"
    return "refused" if problem else "read"


def _ignore(_: object) -> None:
    """Ignore a report of progress."""


def _round(request: tuple[str, int, int], report: Callable[[dict[str, Any]], None]) -> None:
    """The child's side: try some files of a target, and report what came of them."""
    name, number, examples = request
    of, counts = targets()[name], Counter[str]()
    folder = Path(".")

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.target, Phase.shrink),
    )
    @given(st.sampled_from(of.seeds), st.booleans(), st.floats(0, 1, exclude_max=True), _CHANGES)
    def fuzz(content: bytes, inside: bool, place: float, changes: list) -> None:
        if inside and of.file.endswith(("x", "zip")):
            content = changed_member(content, place, changes)
        else:
            content = changed(content, changes)
        counts[check(folder, name, of, content)] += 1

    with TemporaryDirectory(prefix="royalty_fuzz_") as own:
        folder = Path(own)
        try:
            fuzz()
        except BaseException:
            report({"failure": traceback.format_exc(limit=-3)})
    report({"counts": counts})


def fuzz_round(name: str, number: int, examples: int) -> tuple[Counter[str], list[str]]:
    """Try some files of a target in a child. Returns the outcomes, and the failures."""
    counts, failures = Counter[str](), list[str]()

    def hear(found: dict[str, Any]) -> None:
        match found:
            case {"counts": outcomes}:
                counts.update(outcomes)
            case {"failure": text}:
                failures.append(f"{name}, seed {number}: {text}")

    with TemporaryDirectory(prefix="royalty_fuzz_") as folder:
        try:
            run_in_child(
                _round, (name, number, examples), folder=Path(folder), limits=_LIMITS, report=hear
            )
        except ChildDied as death:
            counts["ended the reader"] += 1
            for path in Path(folder).glob(f"royalty_fuzz_*/{targets()[name].file}"):
                KEPT.mkdir(parents=True, exist_ok=True)
                kept = KEPT / f"{name}-{number}-{path.name}".replace(" ", "_")
                shutil.copyfile(path, kept)
                failures.append(f"{name}, seed {number}: {death}; the file is {kept}")
    return counts, failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz every target in turn for some minutes; print the outcomes; return 1 for failures."""
    parser = argparse.ArgumentParser(prog="make test-fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--examples", type=int, default=200, help="files in a round")
    options = parser.parse_args(arguments)
    end, number = time.monotonic() + 60 * options.minutes, options.seed
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in targets()}
    failures: list[str] = []
    while time.monotonic() < end:
        for name, counts in outcomes.items():
            if time.monotonic() < end:
                found, wrong = fuzz_round(name, number, options.examples)
                counts.update(found)
                failures += wrong
        number += 1
    print(f"seeds {options.seed} to {number - 1}")
    for name, counts in outcomes.items():
        said = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
        print(f"  {name:9} {sum(counts.values()):7,} files: {said}")
    for failure in failures:
        print(failure)
    return 1 if failures else 0
