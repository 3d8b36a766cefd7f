"""A file that ends its reader costs its release, and nothing else."""

import mmap
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.base.child import Child, ChildDied, ChildLimits, ChildNotStarted, run_in_child
from dagster_project.base.errors import BadInput
from dagster_project.base.limits import ReleaseLimits
from dagster_project.ingest.load_release import load_release
from dagster_project.layouts import Layout
from dagster_project.sources.source import Release
from tests.security.hostile import (
    ABORTS,
    BOOK,
    CSV,
    CSV_SHEET,
    DAMAGES,
    DIES_OF_DAMAGE,
    EXITS,
    FAULTS,
    FILLS_MEMORY,
    HANGS,
    REFUSES_FOR_DAMAGE,
    ROWS,
    SHEET,
    archive,
    book,
    load,
    release_in,
    source_of,
    workbench,
    zipped,
)

SMALL = ReleaseLimits(reader=ChildLimits(memory=1 << 30, seconds=3))
GOOD = b"label,figure\nJapan,1\n"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def rejected(folder: Path, content: bytes, layout: Layout, name: str = "a.csv") -> BadInput:
    """The error of a release that the ledger then rejects; another one is loaded after it."""
    with workbench() as con:
        bad = release_in(folder / "bad", {name: content})
        with pytest.raises(BadInput) as caught:
            load_release(con, source_of(layout), bad, limits=SMALL)
        assert con.execute("select status, reason from audit.releases").fetchall() == [
            ("rejected", str(caught.value))
        ]
        loaded = load(con, release_in(folder / "good", {"a.csv": GOOD}), CSV_SHEET)
        assert loaded.rows == {"made_up__cells": 1}
    return caught.value


@pytest.mark.parametrize(
    ("layout", "found"),
    [
        (ABORTS, "signal SIGABRT"),
        (FAULTS, "signal SIGSEGV"),
        (EXITS, "exit code 3"),
        (HANGS, "no end after 3 seconds"),
    ],
)
def test_the_death_of_a_reader_rejects_its_release(
    tmp_path: Path, layout: Layout, found: str
) -> None:
    problem = rejected(tmp_path, GOOD, layout)
    assert problem.what == "a file that ends the process which reads it"
    assert problem.where == "a.csv"
    assert found in problem.found


def test_a_reader_has_a_limit_of_memory(tmp_path: Path) -> None:
    problem = rejected(tmp_path, GOOD, FILLS_MEMORY)
    assert problem.what == "a file that needs too much memory"
    assert "ROYALTY_READER_MEMORY" in problem.fix


def test_a_file_read_before_the_deadly_one_is_not_blamed(tmp_path: Path) -> None:
    release = release_in(tmp_path, {"a.csv": b"code,name\nA,b\n", "b.csv": GOOD, "c.csv": GOOD})
    with workbench() as con, pytest.raises(BadInput) as caught:
        load(con, release, CSV, ABORTS)
    assert caught.value.where == "b.csv"


# One process for several releases


def load_three(folder: Path, second: Layout, limits: ReleaseLimits = SMALL) -> list[str]:
    """The status of three releases that one reader reads, the second in another layout."""
    return load_in_turn(folder, CSV_SHEET, second, CSV_SHEET, limits=limits)


def load_in_turn(folder: Path, *layouts: Layout, limits: ReleaseLimits = SMALL) -> list[str]:
    """The status of releases that one reader reads, each in its layout."""
    with workbench() as con, Child() as reader:
        for day, layout in enumerate(layouts, 1):
            files = release_in(folder / str(day), {"a.csv": GOOD}).files
            release = Release("made_up", date(2021, 9, day), files)
            with suppress(BadInput):
                load_release(con, source_of(layout), release, limits=limits, reader=reader)
        rows = con.execute("select _release from raw.made_up__cells order by all").fetchall()
        found = con.execute("select release_date, status from audit.releases order by 1").fetchall()
        assert rows == [(day,) for day, status in found if status == "loaded"]
    return [status for _, status in found]


@pytest.mark.parametrize("layout", [ABORTS, FAULTS, EXITS, HANGS, FILLS_MEMORY])
def test_the_death_of_a_reader_costs_one_release_of_three(tmp_path: Path, layout: Layout) -> None:
    assert load_three(tmp_path, layout) == ["loaded", "rejected", "loaded"]


@pytest.mark.parametrize("victim", [DIES_OF_DAMAGE, REFUSES_FOR_DAMAGE])
def test_what_a_release_damages_in_its_reader_is_not_held_against_the_next(
    tmp_path: Path, victim: Layout
) -> None:
    assert load_in_turn(tmp_path, DAMAGES, victim, CSV_SHEET) == ["loaded"] * 3


def test_a_release_that_is_at_fault_is_rejected_in_a_fresh_reader(tmp_path: Path) -> None:
    found = load_in_turn(tmp_path, DAMAGES, ABORTS, DAMAGES, DIES_OF_DAMAGE)
    assert found == ["loaded", "rejected", "loaded", "loaded"]


def _babble(_: object, report: Callable[[dict], None]) -> None:
    """Write nonsense among the reports, as a process can whose memory is damaged."""
    del report
    for descriptor in range(3, 12):
        with suppress(OSError):
            os.write(descriptor, b'{"read": \xff\n')
    time.sleep(60)


def test_a_child_that_says_no_sense_counts_as_dead(tmp_path: Path) -> None:
    with Reader() as reader, pytest.raises(ChildDied, match="no report"):
        reader.pid_of(tmp_path, _babble)


def test_a_reader_killed_from_outside_costs_one_release_of_three(tmp_path: Path) -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text().split()

    def kill_what_hangs() -> None:
        while not (tmp_path / "2").exists():
            time.sleep(0.05)
        for _ in range(2):  # the release is read again, in a fresh one
            time.sleep(1.5)  # until it hangs
            for child in {*children.read_text().split()} - {*before}:
                before.append(child)
                os.kill(int(child), signal.SIGKILL)

    killer = threading.Thread(target=kill_what_hangs)
    killer.start()
    patient = ReleaseLimits(reader=replace(SMALL.reader, seconds=60))
    began = time.monotonic()
    assert load_three(tmp_path, HANGS, patient) == ["loaded", "rejected", "loaded"]
    assert time.monotonic() - began < 50
    killer.join()


def test_a_reader_that_cannot_start_is_no_verdict(tmp_path: Path) -> None:
    source = replace(source_of(CSV_SHEET), layouts=(replace(CSV_SHEET, parse=_not_importable),))
    release = release_in(tmp_path, {"a.csv": GOOD})
    with workbench() as con:
        with pytest.raises(ChildNotStarted):
            load_release(con, source, release)
        assert con.execute("select count(*) from audit.releases").fetchall() == [(0,)]


class _Vanishing:
    """Its module cannot be imported in the child."""

    def __reduce__(self) -> tuple:
        return (__import__, ("made_up_module_that_does_not_exist",))


_not_importable: Any = _Vanishing()


# Workbooks: the pre-check refuses them, whatever their namespaces; what it lets through, the child
# stands for.


@pytest.mark.parametrize("prefix", ["", "x:", "x-y:", "ä.b:"])
def test_cells_under_any_prefix_are_seen(tmp_path: Path, prefix: str) -> None:
    sheet = (
        f"<{prefix}worksheet xmlns{':' + prefix[:-1] if prefix else ''}='{MAIN}'>"
        f"<{prefix}sheetData><{prefix}row r='1048576'><{prefix}c r='XFD1048576'>"
        f"<{prefix}v>1</{prefix}v></{prefix}c></{prefix}row></{prefix}sheetData>"
        f"</{prefix}worksheet>"
    )
    problem = rejected(tmp_path, book(tmp_path, sheet), BOOK, "a.xlsx")
    assert "reaches to row 1,048,576, column 16,384" in problem.found


@pytest.mark.parametrize("runs", [1, 500])
def test_a_shared_text_longer_than_a_cell_is_refused(tmp_path: Path, runs: int) -> None:
    text = "A" * (40_000_000 // runs)
    strings = f"<sst xmlns='{MAIN}'><si>{f'<r><t>{text}</t></r>' * runs}</si></sst>"
    rows = "".join(
        f"<row r='{row}'><c r='A{row}' t='s'><v>0</v></c></row>" for row in range(1, 401)
    )
    content = book(tmp_path, SHEET.format(rows=rows), strings)
    problem = rejected(tmp_path, content, BOOK, "a.xlsx")
    assert "32,767 characters" in problem.found or "packed to less than" in problem.found


@pytest.mark.parametrize(("length", "is_read"), [(32_767, True), (32_768, False)])
def test_a_text_is_no_longer_than_a_cell(tmp_path: Path, length: int, is_read: bool) -> None:
    strings = f"<sst xmlns='{MAIN}'><si><t>{'A' * length}</t></si></sst>"
    content = book(tmp_path, SHEET.format(rows=f"{ROWS}<row><c t='s'><v>0</v></c></row>"), strings)
    release = release_in(tmp_path, {"a.xlsx": content})
    with workbench() as con:
        if is_read:
            load(con, release, BOOK)
        else:
            with pytest.raises(BadInput, match="32,767 characters"):
                load(con, release, BOOK)


def test_texts_that_fit_but_are_used_too_often_end_the_reader_alone(tmp_path: Path) -> None:
    strings = f"<sst xmlns='{MAIN}'><si><t>{'A' * 32_000}</t></si></sst>"
    rows = "".join("<row><c t='s'><v>0</v></c></row>" for _ in range(60_000))
    problem = rejected(tmp_path, book(tmp_path, SHEET.format(rows=rows), strings), BOOK, "a.xlsx")
    assert problem.what in (
        "a file that ends the process which reads it",
        "a file that needs too much memory",
    )


@pytest.mark.parametrize(
    ("sheet", "found"),
    [
        (SHEET.format(rows="<a>" * 100 + "</a>" * 100), "nested 64 deep"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>" + SHEET.format(rows=ROWS), "a document type"),
        (SHEET.format(rows="<row>"), "that is not XML"),
    ],
)
def test_other_hostile_sheets(tmp_path: Path, sheet: str, found: str) -> None:
    assert found in rejected(tmp_path, book(tmp_path, sheet), BOOK, "a.xlsx").found


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<v>1</v>", "<v>1<!-- -->2</v>", "row 2, column 2) that is not one plain text"),
        ("<v>1</v>", "<v>1<?a b?>2</v>", "not one plain text"),
        ("<v>1</v>", "<v><![CDATA[1]]></v>", "not one plain text"),
        ("<v>1</v>", "<v>1&#50;3</v>", "not one plain text"),
        ("<v>1</v>", "<v>1<b/>2</v>", "not one plain text"),
        ("<v>1</v>", "<v>1</v><v>2</v>", "not one plain text"),
        ("<v>1</v></c>", "<v>1</v></c><c r='B2'><v>2</v></c>", "row 2, column 2 twice"),
        ("<v>1</v></c></row>", "<v>1</v></c></row><row r='2'><c><v>2</v></c></row>", "row 2"),
        ("<c r='B2'>", "<c r='B1'>", "row 1, column 2 twice or out of order"),
        ("</sheetData>", "</sheetData><sheetData/>", "in two parts"),
    ],
)
def test_a_sheet_of_which_the_reader_would_leave_something_out_is_refused(
    tmp_path: Path, old: str, new: str, found: str
) -> None:
    sheet = SHEET.format(rows=ROWS)
    assert old in sheet
    problem = rejected(tmp_path, book(tmp_path, sheet.replace(old, new)), BOOK, "a.xlsx")
    assert found in problem.found


@pytest.mark.parametrize("name", ["Data", "Data "])
def test_sheets_of_one_name_are_refused(tmp_path: Path, name: str) -> None:
    import zipfile

    path = tmp_path / "a.zip"
    path.write_bytes(book(tmp_path, SHEET.format(rows=ROWS)))
    with zipfile.ZipFile(path) as file:
        members = {member: file.read(member) for member in file.namelist()}
    twin = f"<sheet name='{name}' sheetId='2' r:id='rId1'/></sheets>".encode()
    members["xl/workbook.xml"] = members["xl/workbook.xml"].replace(b"</sheets>", twin)
    assert rejected(tmp_path, archive(path, members), BOOK, "a.xlsx").what == "a sheet twice"


def test_a_reference_in_a_text_is_read(tmp_path: Path) -> None:
    text = "<c r='A2' t='str'><v>A &amp; &#66;</v></c>"
    rows = ROWS.replace("<c r='A2' t='inlineStr'><is><t>Japan</t></is></c>", text)
    release = release_in(tmp_path, {"a.xlsx": book(tmp_path, SHEET.format(rows=rows))})
    with workbench() as con:
        load(con, release, BOOK)
        assert con.execute("select name from raw.made_up__cells").fetchall() == [("A & B",)]


@pytest.mark.parametrize("name", ["sheet1.bin", "sheet1.vml"])
@pytest.mark.parametrize("before", ["x", "\0", "<a><b></a>"])
def test_a_sheet_behind_something_else_than_xml_is_seen(
    tmp_path: Path, name: str, before: str
) -> None:
    """The reader would ask for memory for all cells up to XFD1048576."""
    import zipfile

    rows = f"{ROWS}<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"
    path = tmp_path / "a.zip"
    path.write_bytes(book(tmp_path, before + SHEET.format(rows=rows)))
    with zipfile.ZipFile(path) as file:
        members = {
            member.replace("sheet1.xml", name): file.read(member).replace(
                b"sheet1.xml", name.encode()
            )
            for member in file.namelist()
        }
    problem = rejected(tmp_path, archive(path, members), BOOK, "a.xlsx")
    assert "that is not XML" in problem.found


@pytest.mark.parametrize("name", ["sheet1.xml", "SHEET1.xml"])
def test_a_workbook_with_a_member_twice_is_refused(tmp_path: Path, name: str) -> None:
    import zipfile

    path = tmp_path / "a.zip"
    path.write_bytes(book(tmp_path, SHEET.format(rows=ROWS)))
    with zipfile.ZipFile(path, "a") as file, warnings.catch_warnings(action="ignore"):
        file.writestr(f"xl/worksheets/{name}", SHEET.format(rows=ROWS))
    assert "twice" in rejected(tmp_path, path.read_bytes(), BOOK, "a.xlsx").found


def test_a_good_workbook_is_read(tmp_path: Path) -> None:
    release = release_in(tmp_path, {"a.xlsx": book(tmp_path, SHEET.format(rows=ROWS))})
    with workbench() as con:
        load(con, release, BOOK)
        assert con.execute(
            "select name, _sheet, _column, value, _row from raw.made_up__cells"
        ).fetchall() == [("Japan", "Data", "B", "1", 2)]


# Archives


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"data.csv": b"0" * (200 << 20)}, "bytes for 209,715,200"),
        ({"data.csv": b"code,name\n", "sub/data.csv": b"code,name\n"}, "2 members called"),
        ({"../data.csv": b"code,name\n"}, "0 members called"),
        ({"data.zip": b"PK\x05\x06" + bytes(18)}, "instead of 'code', 'name'"),
    ],
    ids=["bomb", "twice", "outside", "nested"],
)
def test_hostile_archives(tmp_path: Path, members: dict[str, bytes], found: str) -> None:
    content = archive(tmp_path / "a.tmp", members)
    problem = rejected(tmp_path, content, zipped(CSV), "a.zip")
    assert found in problem.found


# The child itself


def _environment_of(_: object, report: Callable[[dict], None]) -> None:
    report({"environment": dict(os.environ)})


def test_a_reader_has_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROYALTY_SMTP_PASSWORD", "made up")
    heard: list[dict] = []
    run_in_child(_environment_of, None, folder=tmp_path, limits=SMALL.reader, report=heard.append)
    assert "PATH" in heard[0]["environment"]
    assert not any(name.startswith("ROYALTY") for name in heard[0]["environment"])


_kept: list[bytearray] = []


def _process(_: object, report: Callable[[dict], None]) -> None:
    report({"pid": os.getpid()})


def _die(*_: object) -> None:
    os.abort()


def _keep(size: int, report: Callable[[dict], None]) -> None:
    _kept.append(bytearray(b"1") * size)
    report({"pid": os.getpid()})


def _take_all(_: object, report: Callable[[dict], None]) -> None:
    """Report how many times 8 MB can be had at once."""
    size = 0
    with suppress(OSError):
        while True:
            mmap.mmap(-1, (size + 1) << 23, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
            size += 1
    report({"pid": os.getpid(), "size": size})


class Reader(Child):
    """A reader that says which process did a work."""

    size = 0

    def pid_of(self, folder: Path, work: Callable, request: object = None, **more: Any) -> int:
        """Do a work; return the number of its process."""
        heard: list[dict] = []
        self.run(work, request, folder=folder, limits=SMALL.reader, report=heard.append, **more)
        self.size = heard[0].get("size", 0)
        return int(heard[0]["pid"])


def test_one_reader_does_one_work_after_another_and_ends_with_the_block(tmp_path: Path) -> None:
    with Reader() as reader:
        pids = {reader.pid_of(tmp_path, _process) for _ in range(3)}
        assert len(pids) == 1
        assert _is_alive(str(*pids))
    assert not _is_alive(str(*pids))


def test_a_reader_is_replaced_after_a_death_a_refusal_and_a_kill(tmp_path: Path) -> None:
    def refuse(_: object) -> None:
        raise BadInput("made up", where="", expected="", found="", fix="")

    with Reader() as reader:
        pids = [reader.pid_of(tmp_path, _process)]
        with pytest.raises(ChildDied, match="SIGABRT"):
            reader.pid_of(tmp_path, _die)
        pids.append(reader.pid_of(tmp_path, _process))
        with pytest.raises(BadInput):
            reader.run(_process, None, folder=tmp_path, limits=SMALL.reader, report=refuse)
        pids.append(reader.pid_of(tmp_path, _process))
        os.kill(pids[-1], signal.SIGKILL)  # between two works
        pids.append(reader.pid_of(tmp_path, _process))
        assert len({*pids}) == len(pids)


def test_the_last_words_of_an_earlier_work_are_not_those_of_a_later_one(tmp_path: Path) -> None:
    with Reader() as reader:
        reader.pid_of(tmp_path, _say)
        with pytest.raises(ChildDied) as caught:
            reader.pid_of(tmp_path, _die)
    assert "made up" not in str(caught.value)


def _say(_: object, report: Callable[[dict], None]) -> None:
    print("made up", flush=True)
    _process(None, report)


@pytest.mark.parametrize(("kept", "goes_on"), [(64 << 20, True), (512 << 20, False)])
def test_memory_of_an_earlier_work_is_not_held_against_the_next(
    tmp_path: Path, kept: int, goes_on: bool
) -> None:
    with Reader() as fresh:
        fresh.pid_of(tmp_path, _take_all)
    with Reader() as reader:
        first = reader.pid_of(tmp_path, _keep, kept)
        second = reader.pid_of(tmp_path, _take_all)
        assert (first == second) is goes_on
    assert abs(reader.size - fresh.size) <= 1
    assert fresh.size << 23 < SMALL.reader.memory


def test_a_reader_that_inherits_a_file_does_one_work(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    with Reader() as reader, (tmp_path / "a").open("rb") as file:
        pids = [reader.pid_of(tmp_path, _process)]
        pids.append(reader.pid_of(tmp_path, _process, keep_open=[file.fileno()]))
        pids.append(reader.pid_of(tmp_path, _process))
        assert len({*pids}) == len(pids)


def test_a_reader_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from tests.security.hostile import *;"
        f" folder = Path({str(tmp_path)!r});"
        f" load(workbench(), release_in(folder, {{'a.csv': {GOOD!r}}}), HANGS)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    deadline = time.monotonic() + 60
    while not (found := children.read_text().split()) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)  # until it hangs
    parent.kill()
    parent.wait()
    (child,) = found
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    survived = _is_alive(child)
    if survived:
        os.kill(int(child), signal.SIGKILL)  # it would never end
    assert not survived


def _is_alive(pid: str) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_nothing_is_left_of_a_load_even_if_it_is_killed(tmp_path: Path) -> None:
    with workbench(tmp_path / "warehouse.duckdb") as con:
        left = tmp_path / "incoming" / "royalty_load_left"
        left.mkdir(parents=True)
        (left / "rows.duckdb").write_bytes(b"made up")
        load(con, release_in(tmp_path / "files", {"a.csv": GOOD}), CSV_SHEET)
        assert not (tmp_path / "incoming").exists()
        with pytest.raises(BadInput):
            load(con, release_in(tmp_path / "files", {"a.csv": GOOD}), ABORTS)
        assert not (tmp_path / "incoming").exists()
    shutil.rmtree(tmp_path / "files")
