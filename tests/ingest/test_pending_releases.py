import os
import shutil
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from subprocess import run
from typing import Literal
from unicodedata import normalize

import duckdb
import pytest

from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.pending_releases import (
    Plan,
    find_release,
    make_plan,
    releases_of,
    wait_until_settled,
)
from dagster_project.pipeline.run import announce
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench
from dagster_project.workbench.ledger_schema import create_ledger
from tests.support import BARE, MADE_UP, TEXT, Warehouse, writable_copy

FIGURES = all_sources()["published_figures"]
DAY = date(2019, 6, 30)
RELEASE = "published_figures 2019-06-30"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_ledger(connection)
        yield connection


@pytest.fixture
def landing(folders: Warehouse) -> Warehouse:
    """A copy of the made-up landing folder."""
    writable_copy(MADE_UP, folders.landing)
    return folders


def load(con: duckdb.DuckDBPyConnection, landing: Warehouse, status: str) -> None:
    """Load the made-up text, and enter its status in the ledger."""
    load_release(con, FIGURES, find_release(FIGURES, landing.landing, str(DAY)))
    con.execute("update audit.releases set status = ?, reason = 'made up'", [status])


def plan(con: duckdb.DuckDBPyConnection, landing: Warehouse, *reload: str) -> Plan:
    return make_plan(con, landing.landing, frozenset(reload))


def new(plan: Plan) -> list[str]:
    return [release.label for release in plan.new]


def test_everything_is_new_at_first_and_packaged_sources_too(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    labels = new(plan(con, landing))
    landed = [
        f"{path.parent.name} {path.name}" for path in landing.landing.glob("*/*") if path.is_dir()
    ]
    assert [label for label in labels if label in landed] == sorted(landed)
    packaged = [label.split()[0] for label in labels if label not in landed]
    assert packaged == ["ecb_reference_rates", "iso_3166"]


def test_an_accepted_release_is_not_new(con: duckdb.DuckDBPyConnection, landing: Warehouse) -> None:
    load(con, landing, "accepted")
    assert RELEASE not in new(plan(con, landing))
    assert plan(con, landing).problems == []


def test_a_touched_file_is_not_a_change(con: duckdb.DuckDBPyConnection, landing: Warehouse) -> None:
    load(con, landing, "accepted")
    os.utime(landing.landing / "published_figures" / str(DAY) / TEXT.name, (1, 1))
    assert RELEASE not in new(plan(con, landing))
    assert plan(con, landing).problems == []


@pytest.mark.parametrize("text", ["made up", TEXT.read_text().replace("4.0", "4.1")])
def test_changed_bytes_of_an_accepted_release_are_a_problem(
    con: duckdb.DuckDBPyConnection, landing: Warehouse, text: str
) -> None:
    load(con, landing, "accepted")
    landing.land("published_figures", str(DAY), TEXT.name, text)
    found = plan(con, landing)
    assert RELEASE not in new(found)
    assert [problem.where for problem in found.problems] == [RELEASE]


def test_a_release_whose_files_arrive_one_by_one_is_loaded_again(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    load(con, landing, "accepted")
    landing.land("published_figures", str(DAY), "made_up_too.csv", TEXT.read_text())
    found = plan(con, landing)
    assert (RELEASE in new(found), found.problems) == (True, [])
    assert found.replaced == {f"published_figures/{DAY}"}


def test_an_additional_file_beside_a_changed_one_is_a_problem(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    load(con, landing, "accepted")
    landing.land("published_figures", str(DAY), "made_up_too.csv", TEXT.read_text())
    landing.land("published_figures", str(DAY), TEXT.name, TEXT.read_text().replace("1", "2"))
    assert [problem.where for problem in plan(con, landing).problems] == [RELEASE]


def half_of(text: str) -> str:
    """Return the first lines of a text, as an unfinished copy has them."""
    return "".join(text.splitlines(keepends=True)[:3])


def test_a_release_that_was_loaded_half_copied_is_loaded_again_when_it_is_whole(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    landing.land("published_figures", str(DAY), TEXT.name, half_of(TEXT.read_text()))
    load(con, landing, "accepted")
    landing.land("published_figures", str(DAY), TEXT.name, TEXT.read_text())
    found = plan(con, landing)
    assert (RELEASE in new(found), found.problems) == (True, [])
    assert found.replaced == {f"published_figures/{DAY}"}


def test_a_release_that_became_shorter_is_a_problem(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    load(con, landing, "accepted")
    landing.land("published_figures", str(DAY), TEXT.name, half_of(TEXT.read_text()))
    assert [problem.where for problem in plan(con, landing).problems] == [RELEASE]


def test_a_release_that_keeps_changing_is_not_loaded(
    landing: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = find_release(FIGURES, landing.landing, str(DAY))

    def write(seconds: float) -> None:
        assert 0 < seconds <= 30
        with release.files[0].open("a") as file:
            file.write("more\n")

    monkeypatch.setattr("time.sleep", write)
    with pytest.raises(TryLater, match="still being written") as caught:
        wait_until_settled(release, 30)
    assert caught.value.where == RELEASE


def test_a_release_that_has_settled_is_not_waited_for(
    landing: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    release = find_release(FIGURES, landing.landing, str(DAY))
    wait_until_settled(release, 0)
    assert waited == []
    wait_until_settled(release, 30)
    assert len(waited) == 1


def test_bundled_releases_are_beside_the_landed_ones(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    bundled = PROJECT_ROOT / "landing"
    texts = {f"published_figures {path.name}" for path in (bundled / "published_figures").iterdir()}
    assert texts
    assert texts.isdisjoint(new(plan(con, landing)))
    found = make_plan(con, landing.landing, bundled=bundled)
    assert texts | {RELEASE} <= set(new(found))
    assert (
        find_release(FIGURES, landing.landing, "2018-12-31", bundled)
        .files[0]
        .is_relative_to(bundled)
    )


def test_a_landed_release_replaces_the_bundled_one_of_its_date(
    con: duckdb.DuckDBPyConnection, landing: Warehouse, tmp_path: Path
) -> None:
    bundled = tmp_path / "bundled"
    writable_copy(MADE_UP / "published_figures", bundled / "published_figures")
    shutil.rmtree(landing.landing / "published_figures")
    load_release(con, FIGURES, find_release(FIGURES, landing.landing, str(DAY), bundled))
    con.execute("update audit.releases set status = 'accepted'")
    assert RELEASE not in new(make_plan(con, landing.landing, bundled=bundled))
    landing.land("published_figures", str(DAY), TEXT.name, TEXT.read_text().replace("4.0", "4.1"))
    found = make_plan(con, landing.landing, bundled=bundled)
    assert found.replaced == {f"published_figures/{DAY}"}
    assert found.problems == []


def test_a_load_that_crashed_before_its_gate_is_resumed(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    load(con, landing, "loaded")
    assert RELEASE in new(plan(con, landing))


def test_a_reload_that_crashed_before_its_gate_is_resumed(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    load(con, landing, "accepted")
    release = find_release(FIGURES, landing.landing, str(DAY))
    load_release(con, FIGURES, release, reload=True)
    assert RELEASE in new(plan(con, landing))


def test_a_rejected_release_is_named_again_but_not_loaded_again(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    load(con, landing, "rejected")
    found = plan(con, landing)
    assert RELEASE not in new(found)
    assert [(release.label, reason) for release, reason in found.still_rejected] == [
        (RELEASE, "made up")
    ]


def test_a_rejected_release_is_new_once_its_bytes_have_changed(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    load(con, landing, "rejected")
    landing.land("published_figures", str(DAY), TEXT.name, TEXT.read_text().replace("4.0", "4.1"))
    found = plan(con, landing)
    assert RELEASE in new(found)
    assert found.still_rejected == []


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_a_requested_release_is_loaded_again(
    con: duckdb.DuckDBPyConnection, landing: Warehouse, status: str
) -> None:
    load(con, landing, status)
    assert RELEASE in new(plan(con, landing, f"published_figures/{DAY}"))


def test_folders_without_a_source_are_named(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    landing.land("made_up", "2020-01-01", "a.csv", "1")
    landing.land(".git", "2020-01-01", "a.csv", "1")
    assert plan(con, landing).folders_without_source == ["made_up"]


def test_a_bad_folder_is_a_problem_and_the_others_stay_new(
    con: duckdb.DuckDBPyConnection, landing: Warehouse
) -> None:
    before = new(plan(con, landing))
    landing.land("worldbank_wdi", "newest", BARE.name, BARE.read_text())
    found = plan(con, landing)
    assert [problem.where for problem in found.problems] == ["worldbank_wdi/newest"]
    assert new(found) == before


def test_a_missing_landing_folder_is_one_problem(
    con: duckdb.DuckDBPyConnection, folders: Warehouse
) -> None:
    found = plan(con, folders)
    assert found.new == []
    assert [problem.what for problem in found.problems] == ["no landing folder"]


def test_a_release_is_found_by_its_date(landing: Warehouse) -> None:
    assert find_release(FIGURES, landing.landing, str(DAY)).label == RELEASE


def test_an_unknown_release_is_refused_with_the_list_of_known_ones(landing: Warehouse) -> None:
    with pytest.raises(BadInput) as caught:
        find_release(FIGURES, landing.landing, "2020-01-01")
    assert caught.value.expected.startswith("one of ")
    assert str(DAY) in caught.value.expected


def test_a_bad_release_is_refused_with_what_is_wrong(
    landing: Warehouse,
) -> None:
    landing.land("published_figures", "2999-01-01", TEXT.name, TEXT.read_text())
    with pytest.raises(BadInput, match="in the future"):
        find_release(FIGURES, landing.landing, "2999-01-01")


def test_planning_needs_no_heavy_package() -> None:
    script = (
        "import sys, dagster_project.ingest.pending_releases;"
        "print([n for n in ('dagster', 'dbt', 'great_expectations') if n in sys.modules])"
    )
    result = run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("first", ["NFC", "NFD"])
def test_a_name_that_macos_has_decomposed_is_the_same_name(
    folders: Warehouse, first: Literal["NFC", "NFD"]
) -> None:
    then: Literal["NFC", "NFD"] = "NFD" if first == "NFC" else "NFC"
    name = "propriété 50% it's.csv"
    path = folders.land("published_figures", str(DAY), normalize(first, name), TEXT.read_text())
    with open_workbench(folders.settings) as con:
        (release,), _ = releases_of(FIGURES, folders.landing)
        load_release(con, FIGURES, release)
        con.execute("update audit.releases set status = 'accepted'")
        path.rename(path.with_name(normalize(then, name)))
        plan = make_plan(con, folders.landing)
        assert FIGURES.name not in {release.source for release in plan.new}
        assert plan.problems == []
        (release,), _ = releases_of(FIGURES, folders.landing)
        assert load_release(con, FIGURES, release).unchanged
        seen = con.execute("select distinct _file from raw.published_figures__figures").fetchall()
    assert seen == [(normalize("NFC", name),)]


def test_what_is_ignored_is_noted(folders: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    folders.land("published_figures", str(DAY), TEXT.name, TEXT.read_text())
    folders.land("published_figures", str(DAY), "~$made_up.xlsx", "x")
    with open_workbench(folders.settings) as con:
        announce(folders.settings, make_plan(con, folders.landing))
    noted = f"{RELEASE}: ignored, as other programs leave them: ~$made_up.xlsx"
    assert noted in capsys.readouterr().out
