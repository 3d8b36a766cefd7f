"""A fault of native code in a run costs at most the release that sets it off."""

import os
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path

import pytest

from dagster_project.base.child import ChildDied
from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.native_crash import FAULTS, Doing, crash_recorded, recorded_crash
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.defs import trial
from dagster_project.defs.after_crash import find_crashing
from dagster_project.ingest import load_release
from dagster_project.ingest.load_release import reject_release
from dagster_project.ingest.pending_releases import find_release
from dagster_project.pipeline.run import FAILED, PUBLISHED, PUBLISHED_WITH_REJECTIONS
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench
from tests.pipeline.test_run import text_of
from tests.security.deadly import set_trap
from tests.support import TEXT, Warehouse

SOURCE = "published_figures"
GOOD, BAD = "2020-02-29", "2020-03-01"
CRASHED = f"{SOURCE}/{BAD}"


def start(warehouse: Warehouse, *command: str) -> subprocess.CompletedProcess[str]:
    """Do a run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.deadly", *command],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    (warehouse.folder / "output.txt").open("a").write(done.stdout)
    return done


@pytest.fixture
def landed(warehouse: Warehouse) -> Warehouse:
    """A good release, and one that may become deadly, beside what is published."""
    for day, reporter in ((GOOD, "FRA"), (BAD, "ITA")):
        warehouse.land(SOURCE, day, TEXT.name, text_of(day, reporter=reporter))
    return warehouse


def statuses(warehouse: Warehouse) -> dict[str, str]:
    """The status of the two releases in the published file."""
    return dict(
        warehouse.published(
            "select release_date::varchar, status from audit.releases where source ="
            f" '{SOURCE}' and release_date >= '{GOOD}'"
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "end", "about"),
    [
        ("load", "abort", ""),
        ("gate on raw", "fault", ""),
        ("model", "abort", "staging"),
        ("model", "fault", "marts"),
        ("gate", "abort", "name='core'"),
        ("publication", "abort", ""),
    ],
)
def test_make_run_sets_the_deadly_release_aside(
    landed: Warehouse, place: str, end: str, about: str
) -> None:
    set_trap(landed.landing, place, CRASHED, end=end, about=about)
    before = file_sha256(landed.settings.warehouse)
    died = start(landed, "run")
    assert died.returncode == -(signal.SIGABRT if end == "abort" else signal.SIGSEGV)
    assert file_sha256(landed.settings.warehouse) == before

    done = start(landed, "run")
    assert done.returncode == PUBLISHED_WITH_REJECTIONS, done.stdout
    assert f"REJECTED {SOURCE} {BAD}: a release with which native code ends" in done.stdout
    assert statuses(landed) == {GOOD: "accepted", BAD: "rejected"}
    ((reason,),) = landed.published(
        f"select reason from audit.releases where release_date = '{BAD}'"
    )
    assert ("SIGABRT" if end == "abort" else "SIGSEGV") in reason
    assert not (landed.settings.warehouse_dir / "trial").exists()

    again = start(landed, "run")
    assert again.returncode == PUBLISHED
    assert f"still rejected: {SOURCE} {BAD}" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_run_killed_from_outside_blames_no_release(landed: Warehouse, end: str) -> None:
    set_trap(landed.landing, "gate", CRASHED, end=end, about="name='intermediate'", once=True)
    # Dagster takes SIGTERM as an interruption, and the run ends in order.
    ended = {"kill": -signal.SIGKILL, "terminate": FAILED}[end]
    assert start(landed, "run").returncode == ended
    done = start(landed, "run")
    assert done.returncode == PUBLISHED
    assert "native code" not in done.stdout
    assert statuses(landed) == {GOOD: "accepted", BAD: "accepted"}


@pytest.mark.slow
def test_a_fault_that_does_not_come_back_blames_no_release(landed: Warehouse) -> None:
    set_trap(landed.landing, "gate", CRASHED, about="name='staging'", once=True)
    assert start(landed, "run").returncode == -signal.SIGABRT
    done = start(landed, "run")
    assert done.returncode == PUBLISHED
    assert "native code ended the last run (Aborted, during gate of staging)" in done.stdout
    assert statuses(landed) == {GOOD: "accepted", BAD: "accepted"}


@pytest.mark.slow
def test_a_run_of_dagster_sets_the_deadly_release_aside(landed: Warehouse) -> None:
    """As the daemon retries it: from the start, in another process."""
    set_trap(landed.landing, "model", CRASHED, about="intermediate")
    for day in (GOOD, BAD):
        assert start(landed, f"ingest_{SOURCE}", day).returncode == 0
    assert start(landed, "build").returncode == -signal.SIGABRT
    assert start(landed, "build").returncode == 0
    assert statuses(landed) == {GOOD: "accepted", BAD: "rejected"}


@pytest.mark.slow
def test_a_load_of_dagster_that_has_died_is_refused(landed: Warehouse) -> None:
    set_trap(landed.landing, "load", CRASHED)
    assert start(landed, f"ingest_{SOURCE}", BAD).returncode == -signal.SIGABRT
    retried = start(landed, f"ingest_{SOURCE}", BAD)
    assert retried.stdout.splitlines()[-1] == "failure"
    assert landed.workbench(
        f"select status from audit.releases where source = '{SOURCE}' and release_date = '{BAD}'"
    ) == [("rejected",)]
    assert start(landed, "run").returncode == PUBLISHED


def test_a_crashed_release_is_the_same_in_either_form_of_its_names(folders: Warehouse) -> None:
    source, settings = all_sources()[SOURCE], folders.settings
    decomposed = folders.land(SOURCE, BAD, unicodedata.normalize("NFD", "é.csv"), text_of(BAD))
    release = find_release(source, settings.landing_dir, BAD, None)
    with open_workbench(settings) as con:
        reject_release(con, source, release, load_release.CRASHED)
    decomposed.rename(decomposed.with_name(unicodedata.normalize("NFC", decomposed.name)))
    release = find_release(source, settings.landing_dir, BAD, None)
    with open_workbench(settings) as con, pytest.raises(BadInput, match=load_release.CRASHED):
        load_release.load_release(con, source, release)


# The search


def releases(number: int) -> list[tuple[str, date]]:
    return [("made_up", date(2021, 1, day + 1)) for day in range(number)]


NEW = releases(16)


def dying_of(*deadly: Collection[int], trials: list[int] | None = None) -> Callable:
    """A work that dies as soon as it has all releases of one of these groups."""

    def dies(without: frozenset) -> str | None:
        if trials is not None:
            trials.append(len(without))
        there = {number for number, release in enumerate(NEW) if release not in without}
        return "signal SIGABRT" if any(there >= set(group) for group in deadly) else None

    return dies


@pytest.mark.parametrize("number", range(16))
def test_the_one_deadly_release_is_found_by_bisection(number: int) -> None:
    trials: list[int] = []
    found = find_crashing(NEW, dying_of([number], trials=trials))
    assert found == {NEW[number]: "signal SIGABRT"}
    assert len(trials) <= 7  # with all, with none, four halvings, without it


def test_each_deadly_release_is_found() -> None:
    assert find_crashing(NEW, dying_of([3], [4], [15])).keys() == {NEW[3], NEW[4], NEW[15]}


def test_of_two_that_are_deadly_together_one_is_set_aside() -> None:
    assert find_crashing(NEW, dying_of([3, 9])).keys() == {NEW[9]}


def test_no_release_is_blamed_for_a_fault_that_does_not_come_back() -> None:
    assert find_crashing(NEW, dying_of()) == {}


@pytest.mark.parametrize("new", [NEW, []])
def test_no_release_is_blamed_for_a_fault_without_any(new: list) -> None:
    with pytest.raises(BadInput, match="whatever is loaded"):
        find_crashing(new, dying_of([]))


@pytest.mark.parametrize(
    ("death", "found"),
    [
        *((ChildDied("made up", -fault), "made up") for fault in sorted(FAULTS)),
        (ChildDied("made up", -signal.SIGKILL), None),
        (ChildDied("made up", -signal.SIGTERM), None),
        (ChildDied("made up", 1), None),
        (ChildDied("made up", is_late=True), None),
    ],
)
def test_only_a_fault_in_a_trial_counts(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, death: ChildDied, found: str | None
) -> None:
    def die(*_: object, **options: object) -> None:
        assert Path(str(options["folder"])).is_dir()
        raise death

    settings = folders.settings
    with open_workbench(settings):
        pass
    monkeypatch.setattr(trial, "run_in_child", die)
    assert trial.crash_of_trial(settings, Doing("build of staging")) == found
    assert not (settings.warehouse_dir / "trial").exists()


# The record


def die_recorded(path: Path, ending: str) -> int:
    """End a process in a recorded block; return its exit code."""
    code = (
        "import os, signal, sys, threading, ctypes\n"
        "from pathlib import Path\n"
        "from dagster_project.base.native_crash import Doing, crash_recorded\n"
        f"with crash_recorded(Path({str(path)!r}), Doing('made-up work')):\n    {ending}"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_leaves_a_record(tmp_path: Path, fault: signal.Signals) -> None:
    path = tmp_path / "record"
    assert die_recorded(path, f"os.kill(os.getpid(), {fault.value})") == -fault
    crash = recorded_crash(path)
    assert crash
    assert crash[0] == Doing("made-up work")


def test_a_fault_in_a_thread_leaves_a_record(tmp_path: Path) -> None:
    path = tmp_path / "record"
    ending = "thread = threading.Thread(target=os.abort); thread.start(); thread.join()"
    assert die_recorded(path, ending) == -signal.SIGABRT
    assert recorded_crash(path) == (Doing("made-up work"), "Aborted")


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_kill_from_outside_leaves_none(tmp_path: Path, sent: signal.Signals) -> None:
    die_recorded(tmp_path / "record", f"os.kill(os.getpid(), {sent.value})")
    assert recorded_crash(tmp_path / "record") is None


def test_an_error_leaves_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput), crash_recorded(tmp_path / "record", Doing("made-up work")):
        raise BadInput("made up", where="", expected="", found="", fix="")
    assert not (tmp_path / "record").exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"{}\n\n", b"Fatal\nFatal\n"])
def test_a_torn_record_blames_no_release(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record"
    path.write_bytes(content)
    assert recorded_crash(path) is None


# `make run`


@pytest.mark.parametrize(
    ("code", "runs"), [(0, 1), (1, 1), (2, 1), (130, 1), (137, 1), (143, 1), (134, 2), (139, 2)]
)
def test_make_run_starts_again_after_a_fault(tmp_path: Path, code: int, runs: int) -> None:
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/runs\nexit {code}\n')
    fake.chmod(0o755)
    make = ["make", "-o", ".venv/ready", "run", f"RUN={fake}", "RELOAD=made_up/2021-01-01"]
    subprocess.run(make, cwd=PROJECT_ROOT, env=dict(os.environ), capture_output=True, check=False)
    asked = (tmp_path / "runs").read_text().splitlines()
    first, again = "-m dagster_project run --reload=made_up/2021-01-01", "-m dagster_project run"
    assert asked == [first, again][:runs]
