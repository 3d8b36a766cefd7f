"""What `make status` reports to the person on duty."""

import contextlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from dagster_project.commands.reading import failure_of_last_run
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.manual_decisions import reject
from dagster_project.ingest.pending_releases import find_release
from dagster_project.maintenance.status import status
from dagster_project.publication.rollback import roll_back
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench, write_lock
from dagster_project.workbench.ledger_schema import ledger_time
from tests.support import BARE, Scenario, Warehouse


def status_text(warehouse: Warehouse) -> str:
    return "\n".join(status(warehouse.settings, failure_of_last_run))


def line(warehouse: Warehouse, word: str) -> str:
    """The line of the head that begins with a word."""
    return next(
        text for text in status(warehouse.settings, failure_of_last_run) if text.startswith(word)
    )


def load(warehouse: Warehouse, *releases: str) -> None:
    """Load made-up releases of the World Bank and accept them."""
    source = all_sources()["worldbank_wdi"]
    for release in releases:
        warehouse.land("worldbank_wdi", release, "made_up.csv", BARE.read_bytes())
        with open_workbench(warehouse.settings) as con:
            load_release(con, source, find_release(source, warehouse.landing, release))
            con.execute("update audit.releases set status = 'accepted' where status = 'loaded'")


def test_before_the_first_run_status_says_what_to_do(folders: Warehouse) -> None:
    assert line(folders, "published").endswith("nothing yet: run `make run`")


def test_the_current_release_of_each_source_is_named_with_the_number_of_older_ones(
    folders: Warehouse,
) -> None:
    load(folders, "2016-03-01", "2016-04-01")
    assert "current: 1 sources" in status_text(folders)
    (named,) = [text for text in status_text(folders).splitlines() if "worldbank_wdi  " in text]
    assert "2016-04-01" in named
    assert "7 records" in named
    assert named.endswith(", 1 earlier")


def test_a_rejected_release_is_named_with_its_reason_and_the_decision(folders: Warehouse) -> None:
    load(folders, "2016-03-01")
    with open_workbench(folders.settings) as con:
        reject(con, "worldbank_wdi/2016-03-01", "withdrawn")
    assert "rejected: 1" in status_text(folders)
    assert "worldbank_wdi/2016-03-01, loaded" in status_text(folders)
    assert "rejected by hand: withdrawn" in status_text(folders)
    assert "reject worldbank_wdi/2016-03-01: withdrawn" in status_text(folders)


def test_landed_releases_that_are_not_loaded_are_named(folders: Warehouse) -> None:
    load(folders, "2016-03-01")
    folders.land("worldbank_wdi", "2016-05-01", "made_up.csv", BARE.read_bytes())
    folders.land("worldbank_wdi", "latest", "made_up.csv", BARE.read_bytes())
    folders.land("unknown", "2016-05-01", "made_up.csv", "1")
    _, _, waiting = status_text(folders).partition("landed, not loaded")
    assert "  worldbank_wdi/2016-05-01\n" in waiting
    assert "worldbank_wdi/2016-03-01" not in waiting
    assert "a release folder whose name is not a date" in waiting
    assert "no source module yet: unknown" in waiting


def test_the_publication_is_named_and_whether_it_is_up_to_date(warehouse: Warehouse) -> None:
    ((published,),) = warehouse.published("select publication_id from audit.publication")
    assert line(warehouse, "published").startswith(f"published     {published}, made ")
    assert line(warehouse, "state") == "state         up to date with the current releases"
    with open_workbench(warehouse.settings) as con:
        reject(con, "worldbank_wdi/2016-03-01", "withdrawn")
    assert "`make run` publishes again" in line(warehouse, "state")


def test_a_rollback_is_reported(warehouse: Warehouse) -> None:
    ((published,),) = warehouse.published("select publication_id from audit.publication")
    with open_workbench(warehouse.settings) as con:
        row = con.execute("from audit.publication").fetchall()[0]
        later = [f"9{published[1:]}", ledger_time(con), *row[2:]]
        con.execute("insert into audit.publication values (?, ?, ?, ?, ?, ?)", later)
    roll_back(warehouse.settings, published, "wrong figures")
    assert line(warehouse, "state").startswith(f"state         rolled back from 9{published[1:]}")
    assert f"rollback {published}: wrong figures" in status_text(warehouse)


def test_a_damaged_workbench_is_reported_with_the_live_publication(
    warehouse: Warehouse, template: Scenario
) -> None:
    warehouse.settings.workbench.write_bytes(b"not a DuckDB file, once it was one")
    report = status_text(warehouse)
    assert "ATTENTION     a damaged database file" in report
    assert "`make rebuild`" in report
    assert f"current: {len(all_sources())} sources" in report


def in_another_process(script: str, path: Path) -> contextlib.ExitStack:
    """Run a script that takes a lock or file, and hold it until the stack is closed."""
    stack = contextlib.ExitStack()
    other = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", script.format("print(1, flush=True); sys.stdin.read()"), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    )
    stack.callback(other.communicate)
    assert other.stdout
    assert other.stdout.readline() == b"1\n"
    return stack


def test_a_run_that_is_writing_is_reported(folders: Warehouse) -> None:
    load(folders, "2016-03-01")
    lock = folders.settings.warehouse_dir / ".write.lock"
    script = "import filelock, sys; held = filelock.FileLock(sys.argv[1]); held.acquire(); {}"
    with in_another_process(script, lock):
        assert "ATTENTION     a run is writing" in status_text(folders)
    assert "ATTENTION" not in status_text(folders)


def test_a_program_that_has_the_workbench_open_is_reported(folders: Warehouse) -> None:
    load(folders, "2016-03-01")
    script = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); {}"
    with in_another_process(script, folders.settings.workbench):
        assert "ATTENTION     a file that another process has open" in status_text(folders)
    assert "ATTENTION" not in status_text(folders)


def test_a_file_with_another_time_and_the_same_bytes_is_unchanged(folders: Warehouse) -> None:
    load(folders, "2016-03-01")
    os.utime(folders.landing / "worldbank_wdi" / "2016-03-01" / "made_up.csv", (1, 1))
    head, _, waiting = status_text(folders).partition(
        "landed, not loaded"
    )  # those that are packaged
    assert "current: 1 sources" in head
    assert "worldbank_wdi" not in waiting
    assert "refused" not in waiting


@pytest.mark.parametrize(("succeeds", "words"), [(False, "/runs/"), (True, "succeeded since")])
def test_the_last_failure_is_named(folders: Warehouse, succeeds: bool, words: str) -> None:
    import dagster as dg

    from dagster_project.base.dagster_home import dagster_home

    @dg.op(config_schema=bool)
    def fails(context: dg.OpExecutionContext) -> None:
        if context.op_config:
            raise dg.Failure("on purpose")

    @dg.job
    def made_up() -> None:
        fails()

    dagster_home()
    with dg.DagsterInstance.get() as instance:
        for outcome in (True, False)[: 1 + succeeds]:
            made_up.execute_in_process(
                run_config={"ops": {"fails": {"config": outcome}}},
                instance=instance,
                raise_on_error=False,
            )
    assert "made_up" in line(folders, "last failure")
    assert words in line(folders, "last failure")
    assert str(date.today()) in line(folders, "last failure")


def test_it_changes_nothing_and_holds_no_lock(warehouse: Warehouse) -> None:
    before = warehouse.settings.workbench.stat()
    with write_lock(warehouse.settings):
        status_text(warehouse)
    after = warehouse.settings.workbench.stat()
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)


def test_a_lost_workbench_is_reported_with_the_live_publication(warehouse: Warehouse) -> None:
    warehouse.settings.workbench.unlink()
    report = status_text(warehouse)
    assert "ATTENTION     the workbench is lost" in report
    assert "`make rebuild`" in report
    assert f"current: {len(all_sources())} sources" in report
    assert "state  " not in report


def test_a_damaged_published_file_is_reported_and_is_not_taken_for_a_rollback(
    warehouse: Warehouse,
) -> None:
    whole = warehouse.settings.warehouse.read_bytes()
    warehouse.settings.warehouse.unlink()
    warehouse.settings.warehouse.write_bytes(whole[: len(whole) // 2])
    report = status_text(warehouse)
    assert "ATTENTION     the published file cannot be read" in report
    assert "`make rollback`" in report
    assert "rolled back from" not in report
    assert f"current: {len(all_sources())} sources" in report  # the workbench's ledger has it
