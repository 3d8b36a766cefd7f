"""The landing sensor, evaluation by evaluation; the runs that it requests are not executed here."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.test_utils import create_run_for_test

from dagster_project.base.complete_marker import mark_complete
from dagster_project.defs.landing_cursor import Cursor
from dagster_project.defs.landing_sensor import MAX_RUNS, SECONDS, SETTLED
from dagster_project.ingest import pending_releases as plan
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.manual_decisions import forget, reject
from dagster_project.ingest.pending_releases import find_release
from dagster_project.sources import all_sources, source
from dagster_project.workbench import connection as workbench
from dagster_project.workbench.connection import open_workbench
from dagster_project.workbench.ledger_schema import ledger_time
from tests.defs.daemon import Landing
from tests.support import TEXT, Warehouse

FIGURES = all_sources()["published_figures"]
DAY = "2019-06-30"
NAME = f"published_figures/{DAY}"


@pytest.fixture
def landing(folders: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Landing]:
    """The sensor over an empty landing folder, in a world of one source."""
    monkeypatch.setattr(plan, "all_sources", lambda: {"published_figures": FIGURES})
    folders.landing.mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        yield Landing(instance)


def land(folders: Warehouse, day: str = DAY, text: str = "") -> Path:
    return folders.land("published_figures", day, TEXT.name, text or TEXT.read_text())


def enter(folders: Warehouse, status: str, day: str = DAY) -> None:
    """Load a release, as its run would, and enter its status in the ledger."""
    with open_workbench(folders.settings) as con:
        load_release(con, FIGURES, find_release(FIGURES, folders.landing, day))
        con.execute(
            "update audit.releases set status = ?, reason = 'made up' where status = 'loaded'",
            [status],
        )


def publish(folders: Warehouse) -> None:
    """Enter the current releases as published."""
    from dagster_project.transform.build_fingerprint import build_fingerprint

    with open_workbench(folders.settings) as con:
        con.execute(
            "insert into audit.publication values (?, now()::timestamp, 'run', '1.5', 'c', ?)",
            [str(ledger_time(con)), build_fingerprint(con)],
        )
    folders.settings.warehouse.touch()


def test_a_new_release_gets_one_run_once_it_stays_the_same(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders)
    assert "arriving" in landing.message()
    assert landing.requests() == [f"ingest_published_figures {DAY}"]
    assert landing.requests() == landing.requests() == []
    assert landing.instance.get_dynamic_partitions("published_figures") == [DAY]


def test_a_release_without_a_marker_waits_for_a_minute_however_often_the_sensor_looks(
    folders: Warehouse, landing: Landing
) -> None:
    landing.pause = SECONDS
    land(folders)
    waited = 0
    while not landing.requests():
        waited += SECONDS
    assert waited == SETTLED


def test_a_marked_release_gets_its_run_at_the_first_evaluation(
    folders: Warehouse, landing: Landing
) -> None:
    """As fetchers land it: filled elsewhere, marked, then renamed into place."""
    incoming = folders.landing / ".incoming" / "published_figures.1f2e" / "release"
    incoming.mkdir(parents=True)
    (incoming / TEXT.name).write_text(TEXT.read_text())
    mark_complete(incoming)
    (folders.landing / NAME).parent.mkdir()
    incoming.rename(folders.landing / NAME)
    assert landing.requests() == [f"ingest_published_figures {DAY}"]
    release = find_release(FIGURES, folders.landing, DAY)
    assert [path.name for path in release.files] == [TEXT.name]


def test_a_half_copied_release_is_not_loaded_early_because_its_marker_came_first(
    folders: Warehouse, landing: Landing
) -> None:
    path = land(folders)
    text = path.read_bytes()
    mark_complete(path.parent)
    landing.pause = SECONDS
    for size in (100, len(text) - 1):
        path.write_bytes(text[:size])
        assert "arriving" in landing.message()
    path.write_bytes(text)
    time.sleep(0.02)  # longer than the clock of file times
    os.utime(path, (1, 1))
    assert "arriving" in landing.message()
    mark_complete(path.parent)
    assert landing.requests() == [f"ingest_published_figures {DAY}"]


def test_a_clock_that_jumps_backwards_delays_no_release_for_more_than_a_minute(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders)
    landing.evaluate()
    landing.now -= timedelta(days=2)
    landing.evaluate()
    assert landing.requests() == [f"ingest_published_figures {DAY}"]


def test_a_growing_release_is_waited_for(folders: Warehouse, landing: Landing) -> None:
    text = TEXT.read_text()
    for size in (100, 200, 300):
        land(folders, text=text[:size])
        assert f"arriving, loaded when unchanged for 60 seconds: {NAME}" in landing.message()
    land(folders, text=text)
    assert landing.requests() == []
    assert landing.requests() == [f"ingest_published_figures {DAY}"]


def test_a_file_with_a_temporary_name_holds_its_release_back(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders)
    for size in (1, 2, 3):
        folders.land("published_figures", DAY, ".second.csv.Xq3f", "x" * size)
        assert "arriving" in landing.message()
    (folders.landing / NAME / ".second.csv.Xq3f").unlink()
    assert landing.requests() == []
    assert landing.requests() == [f"ingest_published_figures {DAY}"]


@pytest.mark.parametrize(
    "folder", [".incoming/published_figures.1f2e/release", f"published_figures/.{DAY}.new"]
)
def test_incomplete_folders_are_skipped(folders: Warehouse, landing: Landing, folder: str) -> None:
    path = folders.landing / folder / TEXT.name
    path.parent.mkdir(parents=True)
    path.write_text(TEXT.read_text())
    assert landing.requests() == landing.requests() == []
    assert "REFUSED" not in landing.message()


def test_a_current_release_is_left_alone(folders: Warehouse, landing: Landing) -> None:
    land(folders)
    enter(folders, "accepted")
    publish(folders)
    assert landing.requests() == landing.requests() == []


def test_a_rejected_release_is_loaded_again_only_when_its_bytes_change(
    folders: Warehouse, landing: Landing
) -> None:
    path = land(folders)
    enter(folders, "rejected")
    assert [landing.requests() for _ in range(3)] == [[], [], []]
    assert "1 rejected" in landing.message()
    path.write_text(TEXT.read_text().replace("4.0", "4.1"))
    assert landing.requests() == []
    assert landing.requests() == [f"ingest_published_figures {DAY}"]
    enter(folders, "rejected")
    assert [landing.requests() for _ in range(3)] == [[], [], []]


def test_a_forgotten_release_is_loaded_again(folders: Warehouse, landing: Landing) -> None:
    land(folders)
    landing.evaluate()
    assert landing.requests() == [f"ingest_published_figures {DAY}"]
    enter(folders, "rejected")
    landing.evaluate()
    folders.change_ledger("delete from audit.releases")
    landing.evaluate()
    assert landing.requests() == [f"ingest_published_figures {DAY}"]


def test_changed_bytes_of_a_current_release_are_reported_once_and_nothing_is_loaded(
    folders: Warehouse, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = land(folders)
    enter(folders, "accepted")
    publish(folders)
    path.write_text(TEXT.read_text().replace("4.0", "4.1"))
    first = landing.message()
    assert "REFUSED the files of an accepted release have changed" in first
    assert f"make run RELOAD={NAME}" in first
    with monkeypatch.context() as patched:
        patched.setattr(plan, "file_sha256", lambda path: pytest.fail(f"{path} was read"))
        again = landing.message()
    assert "REFUSED" not in again
    assert f"1 refused, as reported before: {NAME}" in again
    path.write_text(TEXT.read_text().replace("4.0", "4.2"))
    assert "REFUSED the files of an accepted release have changed" in landing.message()


def test_a_touched_file_is_read_only_once(
    folders: Warehouse, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = land(folders)
    enter(folders, "accepted")
    publish(folders)
    os.utime(path, (1, 1))
    assert "nothing new" in landing.message()
    monkeypatch.setattr(plan, "file_sha256", lambda path: pytest.fail(f"{path} was read"))
    assert "nothing new" in landing.message()


def test_a_run_that_ended_without_an_entry_is_not_requested_again_but_named(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders)
    landing.evaluate()
    assert landing.requests() == [f"ingest_published_figures {DAY}"]
    reason = f"a requested run ended without an entry in the ledger: {NAME}"
    assert reason in landing.message()
    assert reason in landing.message()
    land(folders, text=TEXT.read_text().replace("4.0", "4.1"))
    landing.evaluate()
    assert landing.requests() == [f"ingest_published_figures {DAY}"]


def test_the_build_is_requested_once_after_the_last_ingest(
    folders: Warehouse, landing: Landing
) -> None:
    for day in (DAY, "2019-07-31"):
        land(folders, day, TEXT.read_text().replace(DAY, day))
    landing.evaluate()
    assert len(landing.requests()) == 2
    enter(folders, "accepted")
    (key,) = [key for key in landing.requested if "2019-07-31" in key]
    run = dg.DagsterRun(
        job_name="ingest_published_figures",
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/run_key": key},
    )
    landing.instance.add_run(run)
    assert "1 runs are in progress" in landing.message()
    enter(folders, "accepted", "2019-07-31")
    landing.instance.report_run_canceled(run)
    assert landing.requests() == ["build"]
    assert "the build of the current releases has failed" in landing.message()
    publish(folders)
    assert "build" not in landing.message()


def test_a_build_waits_for_a_release_that_starts_to_arrive_but_not_for_one_that_keeps_growing(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders)
    enter(folders, "accepted")
    land(folders, "2019-07-31", "x")
    assert "arriving" in landing.message()
    land(folders, "2019-07-31", "xx")
    assert landing.requests() == ["build"]


def test_nothing_is_built_from_nothing(folders: Warehouse, landing: Landing) -> None:
    assert [landing.requests() for _ in range(3)] == [[], [], []]


def test_a_running_fetch_does_not_delay_a_build(folders: Warehouse, landing: Landing) -> None:
    land(folders)
    enter(folders, "accepted")
    landing.instance.add_run(
        dg.DagsterRun(
            job_name="made_up",
            status=dg.DagsterRunStatus.STARTED,
            asset_selection=frozenset({dg.AssetKey(["fetch", "worldbank_wdi"])}),
        )
    )
    assert landing.requests() == ["build"]


def test_while_another_process_writes_the_sensor_says_so_and_goes_on_afterwards(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders)
    landing.evaluate()
    script = (
        "import sys; from dagster_project.base.settings import Settings\n"
        "from dagster_project.workbench.connection import open_workbench, write_lock\n"
        "with write_lock(Settings()), open_workbench(Settings()):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        assert "a run is writing" in landing.message()
        other.communicate()
    assert landing.requests() == [f"ingest_published_figures {DAY}"]
    with workbench.write_lock(folders.settings, timeout=0):  # the sensor has let go
        duckdb.connect(folders.settings.workbench).close()


def test_a_large_batch_is_requested_in_parts(folders: Warehouse, landing: Landing) -> None:
    days = [str(date.fromordinal(date(2000, 1, 1).toordinal() + n)) for n in range(MAX_RUNS + 20)]
    for day in days:
        land(folders, day, "x")
    landing.evaluate()
    parts = [landing.requests() for _ in range(2)]
    assert [len(part) for part in parts] == [MAX_RUNS, 20]
    assert landing.requests() == []


def test_ten_thousand_known_releases_cost_few_calls(
    folders: Warehouse, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An evaluation then takes 0.5 s; the test counts the calls that would make it slower."""
    count = 10_000
    first = date(1990, 1, 1).toordinal()
    days = [date.fromordinal(first + n) for n in range(count)]
    entries = []
    for day in days:
        path = land(folders, str(day), "x")
        os.utime(path, (1, 1))
        entries.append(f"('published_figures', date '{day}', '{path.name}')")
    with open_workbench(folders.settings) as con:
        con.execute(
            "insert into audit.releases select source, day, name, 'sha', 1, 1, 1, 'accepted', null,"
            " now()::timestamp, timestamp '1970-01-01 00:00:01'"
            f" from (values {', '.join(entries)}) as landed (source, day, name)"
        )
    publish(folders)
    landing.instance.add_dynamic_partitions("published_figures", [str(day) for day in days])
    calls = {"scandir": 0, "sql": 0}

    class CountingConnection:
        def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
            self._con = con

        def execute(self, *arguments: Any) -> Any:
            calls["sql"] += 1
            return self._con.execute(*arguments)

        def __enter__(self) -> "CountingConnection":
            return self

        def __exit__(self, *_: object) -> None:
            self._con.close()

    scandir, connect = os.scandir, duckdb.connect

    def counted_scandir(path: Any) -> Any:
        calls["scandir"] += 1
        return scandir(path)

    monkeypatch.setattr(source.os, "scandir", counted_scandir)
    monkeypatch.setattr(
        workbench.duckdb, "connect", lambda *a, **k: CountingConnection(connect(*a, **k))
    )
    monkeypatch.setattr(plan, "file_sha256", lambda path: pytest.fail(f"{path} was read"))
    assert f"{count} releases have landed" in landing.message()
    assert calls["sql"] <= 5  # not one for each release
    assert calls["scandir"] <= count + 10  # each folder once
    assert len(landing.cursor) < 1000


def test_an_unreadable_cursor_counts_as_none() -> None:
    assert Cursor.read("not json") == Cursor.read('{"old": 1}') == Cursor.read(None) == Cursor()
    assert Cursor.read('{"arriving": {"a": "1"}}') == Cursor()  # as it was until 0.4
    cursor = Cursor(arriving={"a": ("1", 2.5)}, requested={"b": ("key", "2")}, round=3)
    assert Cursor.read(cursor.text()) == cursor


def test_a_state_restored_by_a_decision_is_built_again(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders, DAY)
    enter(folders, "accepted", DAY)
    assert len(landing.requests()) == 1
    publish(folders)
    assert landing.requests() == []
    land(folders, "2019-07-31", TEXT.read_text().replace("4.0", "4.1"))  # published by a person
    enter(folders, "accepted", "2019-07-31")
    publish(folders)
    assert landing.requests() == []
    with open_workbench(folders.settings) as con:
        reject(con, "published_figures/2019-07-31", "wrong")
    assert len(landing.requests()) == 1


def test_a_run_that_dagster_is_about_to_retry_is_under_way(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders)
    enter(folders, "accepted")
    create_run_for_test(
        landing.instance,
        job_name="build",
        status=dg.DagsterRunStatus.FAILURE,
        tags={"dagster/will_retry": "true"},
    )
    assert "1 runs are in progress: build" in landing.message()
    create_run_for_test(
        landing.instance,
        job_name="build",
        status=dg.DagsterRunStatus.FAILURE,
        tags={"dagster/will_retry": "true", "dagster/auto_retry_run_id": "another"},
    )
    assert "1 runs are in progress: build" in landing.message()


def test_a_run_that_failed_while_the_clock_was_ahead_is_not_waited_for(
    folders: Warehouse, landing: Landing
) -> None:
    land(folders)
    create_run_for_test(
        landing.instance,
        job_name="build",
        status=dg.DagsterRunStatus.FAILURE,
        tags={"dagster/will_retry": "true"},
    )
    landing.now -= timedelta(days=3)
    landing.evaluate()
    landing.evaluate()
    assert "runs are in progress" not in landing.message()


def start(landing: Landing, status: dg.DagsterRunStatus) -> str:
    """Give the last request its run, as the daemon does; return the run's id."""
    key = landing.requested[-1]
    tags = {"dagster/run_key": key}
    job = key.split(" ", maxsplit=1)[0]
    if job != "build":
        source_name, _, day = job.partition("/")
        job, tags["dagster/partition"] = f"ingest_{source_name}", day
    return create_run_for_test(landing.instance, job_name=job, status=status, tags=tags).run_id


def forget_release(folders: Warehouse) -> None:
    with open_workbench(folders.settings) as con:
        forget(con, NAME, "made up")


def test_no_run_key_is_repeated_after_the_cursor_was_reset(
    folders: Warehouse, landing: Landing
) -> None:
    """Dagster would ignore it, without a word."""
    path = land(folders)
    mark_complete(path.parent)
    wanted = [f"ingest_published_figures {DAY}"]
    assert landing.requests() == wanted
    start(landing, dg.DagsterRunStatus.FAILURE)
    landing.cursor = ""
    assert landing.requests() == wanted  # the helper refuses a key that repeats one
    start(landing, dg.DagsterRunStatus.SUCCESS)
    enter(folders, "accepted")
    landing.cursor = ""
    assert landing.requests() == ["build"]
    start(landing, dg.DagsterRunStatus.FAILURE)
    landing.cursor = ""
    assert landing.requests() == ["build"]
    start(landing, dg.DagsterRunStatus.SUCCESS)
    publish(folders)
    landing.cursor = ""
    assert landing.requests() == []


def test_a_forgotten_release_gets_a_new_key_also_where_the_run_before_is_gone(
    folders: Warehouse, landing: Landing
) -> None:
    path = land(folders)
    mark_complete(path.parent)
    for _ in range(3):
        landing.cursor = ""
        assert landing.requests() == [f"ingest_published_figures {DAY}"]
        enter(folders, "accepted")
        forget_release(folders)


@pytest.mark.parametrize("requested_by", ["the sensor", "a person"])
def test_a_run_under_way_is_known_after_the_cursor_was_reset(
    folders: Warehouse, landing: Landing, requested_by: str
) -> None:
    path = land(folders)
    mark_complete(path.parent)
    if requested_by == "the sensor":
        landing.requests()
        run = start(landing, dg.DagsterRunStatus.STARTING)
        landing.cursor = ""
    else:
        tags = {"dagster/partition": DAY}
        run = create_run_for_test(
            landing.instance,
            job_name="ingest_published_figures",
            status=dg.DagsterRunStatus.STARTED,
            tags=tags,
        ).run_id
    assert landing.requests() == landing.requests() == []
    started = landing.instance.get_run_by_id(run)
    assert started
    landing.instance.report_run_failed(started)
    assert landing.requests() == []
    landing.cursor = ""
    assert landing.requests() == [f"ingest_published_figures {DAY}"]


def test_a_release_whose_run_was_deleted_is_requested_again(
    folders: Warehouse, landing: Landing
) -> None:
    path = land(folders)
    mark_complete(path.parent)
    landing.requests()
    run = start(landing, dg.DagsterRunStatus.FAILURE)
    assert "a requested run ended without an entry in the ledger" in landing.message()
    landing.instance.delete_run(run)
    assert landing.requests() == [f"ingest_published_figures {DAY}"]


def test_a_cursor_of_another_version_keeps_what_is_known() -> None:
    text = '{"requested": {"a/2020-01-31": ["key", "state"]}, "round": 7, "of_a_later_version": 1}'
    cursor = Cursor.read(text)
    assert (cursor.requested, cursor.round) == ({"a/2020-01-31": ("key", "state")}, 7)
    assert Cursor.read("[]") == Cursor.read("1") == Cursor()
