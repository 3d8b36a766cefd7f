"""Size and number: limits with a message each, and time that grows no faster than the input."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.limits import ReleaseLimits
from dagster_project.base.machine_errors import MachineError
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.pending_releases import find_release, plan_against
from dagster_project.layouts import Layout
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release
from tests.security.hostile import (
    CSV,
    CSV_SHEET,
    DATASET,
    DAY,
    DOCUMENT,
    JSON,
    load,
    release_in,
    source_of,
    workbench,
)
from tests.support import BULK, Warehouse

SOURCE = all_sources()["published_figures"]


def land(folders: Warehouse, count: int, content: bytes = b"a") -> None:
    folder = folders.landing / SOURCE.name / "2021-09-15"
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.csv").write_bytes(content)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (ReleaseLimits(files=5), "at most 5 files (ROYALTY_RELEASE_FILES)"),
        (ReleaseLimits(bytes=59), "at most 59 bytes (ROYALTY_RELEASE_BYTES)"),
    ],
)
def test_a_release_beyond_a_limit_is_refused_by_name(
    folders: Warehouse, limits: ReleaseLimits, expected: str
) -> None:
    land(folders, 6, b"1234567890")
    (problem,) = plan_against({}, folders.landing, limits=limits).problems
    assert problem.what == "a release that is too large"
    assert problem.where == "published_figures/2021-09-15"
    assert problem.expected == expected
    with pytest.raises(BadInput, match="too large"):
        find_release(SOURCE, folders.landing, "2021-09-15", limits=limits)
    allowed = ReleaseLimits(files=6, bytes=60)
    assert plan_against({}, folders.landing, limits=allowed).problems == []


def test_five_thousand_files_are_refused_at_once(folders: Warehouse) -> None:
    land(folders, 5000)
    began = time.perf_counter()
    (problem,) = plan_against({}, folders.landing).problems
    assert problem.expected == "at most 1,000 files (ROYALTY_RELEASE_FILES)"
    assert time.perf_counter() - began < 2


def cpu_seconds() -> float:
    """The time that this process and its ended children have used."""
    return sum(os.times()[:4])


def test_the_time_of_a_load_grows_with_the_number_of_files(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        files = {f"{number:04}.csv": b"code,name\nA,b\n" for number in range(count)}
        release = release_in(tmp_path / str(count), files)
        with workbench() as con:
            began = cpu_seconds()
            load_release(con, source_of(CSV), release)
            assert con.execute("select count(*) from raw.made_up__things").fetchall() == [(count,)]
            return cpu_seconds() - began

    seconds(1)  # what is done once
    small, large = seconds(100), seconds(800)
    assert large < 16 * small  # eight times the files


# JSON


def refused(folder: Path, content: str, *layouts: Layout) -> str:
    """What is found wrong with a JSON release."""
    with workbench() as con, pytest.raises(BadInput) as caught:
        load(con, release_in(folder, {"a.json": content.encode()}), *layouts)
    return caught.value.found


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    ("content", "layouts"),
    [
        ('{"things": [{"code": "A"}], "unused": NUMBER}', [JSON]),
        ('{"rows": [{"code": "A", "name": "B"}], "unused": [NUMBER]}', [DOCUMENT]),
        (
            '{"dataSets": [{"observations": {"0:0:0": [1]}}], "unused": {"a": NUMBER},'
            ' "structure": {"dimensions": {"observation": [{"id": "GEO", "values": [{"id": "A"}]},'
            ' {"id": "ITEM", "values": [{"id": "B"}]},'
            ' {"id": "TIME_PERIOD", "values": [{"id": "2019"}]}]}}}',
            DATASET.layouts,
        ),
    ],
    ids=["records", "document", "SDMX"],
)
def test_numbers_that_json_does_not_have_are_refused_in_unused_members(
    tmp_path: Path, content: str, layouts: Sequence[Layout], number: str
) -> None:
    assert number.lstrip("-") in refused(tmp_path, content.replace("NUMBER", number), *layouts)
    with workbench() as con:
        good = content.replace("NUMBER", "1").encode()
        load(con, release_in(tmp_path / "good", {"a.json": good}), *layouts)


@pytest.mark.parametrize("depth", [200, 5_000, 1_000_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_documents_are_refused(tmp_path: Path, depth: int, opening: str, closing: str) -> None:
    inside = opening * depth + "1" + closing * depth
    for layout, root in ((JSON, "things"), (DOCUMENT, "rows")):
        content = f'{{"{root}": [{{"code": "A", "name": "B"}}], "unused": {inside}}}'
        assert "deep" in refused(tmp_path, content, layout)


@pytest.mark.parametrize("number", ["1e308", "-1e308", "1e999", "0", "9999", "1" * 400])
def test_numbers_are_kept_as_they_are_written(tmp_path: Path, number: str) -> None:
    content = f'{{"things": [{{"code": "A", "name": {number}}}]}}'.encode()
    with workbench() as con:
        load(con, release_in(tmp_path, {"a.json": content}), JSON)
        assert con.execute("select name from raw.made_up__things").fetchall() == [(number,)]


def test_a_document_with_many_repeated_members_is_refused_in_linear_time(tmp_path: Path) -> None:
    members = ", ".join(f'"m{number}": 1' for number in range(100_000))
    content = f'{{"things": [{{"code": "A"}}], {members}, "m0": 1}}'
    began = time.perf_counter()
    assert "'m0' twice" in refused(tmp_path, content, JSON)
    assert time.perf_counter() - began < 20


# Text


def test_a_csv_file_without_line_ends_is_refused(tmp_path: Path) -> None:
    with workbench() as con, pytest.raises(BadInput):
        load(con, release_in(tmp_path, {"a.csv": b"code,name" * (1 << 20)}), CSV, CSV_SHEET)


@pytest.mark.parametrize("quote", ['"', ""])
def test_a_record_that_never_ends_is_refused(tmp_path: Path, quote: str) -> None:
    content = f"code,name\nA,{quote}".encode() + b"x" * (5 << 20) + b"\n"
    with workbench() as con, pytest.raises(BadInput):
        load(con, release_in(tmp_path, {"a.csv": content}), CSV)


@pytest.mark.parametrize("layout", [CSV, CSV_SHEET])
def test_a_record_of_too_many_fields_is_refused_before_the_machine_runs_out_of_memory(
    tmp_path: Path, layout: Layout
) -> None:
    columns, figures = ",c" * 20_000, ",1" * 20_000
    content = f"code,name,label,figure{columns}\nA,b,c,1{figures}\n".encode()
    with workbench() as con, pytest.raises(BadInput, match="a record of 20,004 fields") as caught:
        load(con, release_in(tmp_path, {"a.csv": content}), layout)
    assert not isinstance(caught.value, MachineError)


@pytest.mark.parametrize("year", ["0000", "0001", "9999"])
def test_a_year_out_of_range_is_refused(folders: Warehouse, year: str) -> None:
    wdi = all_sources()["worldbank_wdi"]
    content = BULK.read_text("utf-8-sig").replace('"2013"', f'"{year}"', 1)
    path = folders.land(wdi.name, "2021-09-15", BULK.name, content)
    release = Release(wdi.name, DAY, (path,))
    with workbench() as con, pytest.raises(BadInput) as caught:
        load_release(con, wdi, release)
    assert "'2014' after '2012'" in caught.value.found  # the layout takes no such year
