"""Disasters of the machine: each ends in one message, and the published file stays."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from dagster_project.__main__ import main
from dagster_project.base.clock import system_clock
from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.ingest.pending_releases import make_plan
from dagster_project.pipeline.run import FAILED, PUBLISHED
from dagster_project.publication import publish as publishing
from dagster_project.publication.eligibility import publication_blockers
from dagster_project.publication.integrity import integrity_errors
from dagster_project.publication.kept_files import (
    kept_id,
    kept_publications,
    publication_id,
    publication_time,
)
from dagster_project.publication.publish import reconcile
from dagster_project.publication.rollback import roll_back
from dagster_project.workbench import ledger_schema
from dagster_project.workbench.builds import current_candidate, start_candidate
from dagster_project.workbench.connection import open_workbench
from tests.support import TEXT, Scenario, Warehouse, held_by, interrupt

pytestmark = pytest.mark.slow

PAGE = 4096


def ready_to_publish(warehouse: Warehouse) -> None:
    """Put back the candidate, as if the run had been interrupted before publishing it."""
    warehouse.restore_candidate()
    warehouse.change_ledger("update audit.publication set fingerprint = 'another'")


def run_once(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run `make run`; return its exit code and its last line."""
    capsys.readouterr()
    code = main(["run"])
    return code, capsys.readouterr().out.strip().splitlines()[-1]


def spoil(path: Path, where: int, size: int = PAGE) -> None:
    """Overwrite a part of a file, in place: its hard links have the same bytes."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(where)
        file.write(b"\xa5" * size)
    path.chmod(mode)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small separate disk, which can be filled up, or mounted read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk: needs root, as in the CI container")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def on_disk(disk: Path, template: Scenario, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A copy of the template on the small disk, in the environment; Dagster's home is elsewhere."""
    warehouse = template.warehouse.copy(disk / "of_its_own")
    for name, value in warehouse.environment.items():
        if name != "DAGSTER_HOME":
            monkeypatch.setenv(name, value)
    return warehouse


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, PAGE):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass
    return filler


# The disk is full


def test_a_full_disk_stops_a_load_and_does_not_reject_the_release(
    on_disk: Warehouse, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = on_disk.settings
    before = file_sha256(settings.warehouse)
    text = TEXT.read_text().replace("2019-06-30", "2020-02-29")
    on_disk.land("published_figures", "2020-02-29", TEXT.name, text)
    filler = fill(disk)
    code, output = run_once(capsys)
    assert code == FAILED
    assert output.startswith("REFUSED the disk is full | where: published_figures 2020-02-29")
    assert file_sha256(settings.warehouse) == before
    filler.unlink()
    with open_workbench(settings) as con:
        plan = make_plan(con, settings.landing_dir)
    assert [release.label for release in plan.new] == ["published_figures 2020-02-29"]


def test_a_full_disk_stops_a_publication_which_the_next_run_completes(
    on_disk: Warehouse, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = on_disk.settings
    first = held_by(settings.warehouse)
    ready_to_publish(on_disk)
    filler = fill(disk)
    code, output = run_once(capsys)
    assert code == FAILED
    assert output.startswith("FAILED, nothing was published: the disk is full | where: ")
    assert held_by(settings.warehouse) == first
    assert integrity_errors(settings.warehouse) == []
    filler.unlink()
    code, output = run_once(capsys)
    assert code == PUBLISHED
    assert held_by(settings.warehouse) > first
    assert integrity_errors(settings.warehouse) == []


def test_a_full_disk_under_dagster_is_one_message_too(
    on_disk: Warehouse,
    disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(disk / "dagster_home"))
    ready_to_publish(on_disk)
    fill(disk)
    code, output = run_once(capsys)
    assert code == FAILED
    assert "the disk is full" in output


# A folder that cannot be written to


def test_a_read_only_folder_is_named_and_the_published_file_stays_readable(
    on_disk: Warehouse, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    code, output = run_once(capsys)
    assert code == FAILED
    assert output.startswith("FAILED a file or folder that may not be written to")
    assert str(on_disk.settings.warehouse_dir) in output
    assert integrity_errors(on_disk.settings.warehouse) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_of_another_user_is_named(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = warehouse.settings.warehouse_dir
    (folder / ".write.lock").unlink()
    folder.chmod(0o555)
    try:
        code, output = run_once(capsys)
    finally:
        folder.chmod(0o755)
    assert code == FAILED
    assert output.startswith("FAILED a file or folder that may not be written to")


# Damaged files


DAMAGE: dict[str, Callable[[Path], None]] = {
    "other bytes at the beginning": lambda path: spoil(path, 0),
    "other bytes in the middle": lambda path: spoil(path, 3 * PAGE, 1 << 20),
    "truncated": lambda path: os.truncate(path, PAGE),
    "empty": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_workbench_is_named_with_the_way_to_rebuild_it(
    warehouse: Warehouse, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = file_sha256(warehouse.settings.warehouse)
    damage(warehouse.settings.workbench)
    code, output = run_once(capsys)
    assert code == FAILED
    assert output.startswith("REFUSED a damaged database file")
    assert str(warehouse.settings.workbench) in output
    assert "`make rebuild`" in output
    assert file_sha256(warehouse.settings.warehouse) == before


def test_a_damaged_block_fails_the_run_and_not_the_release(tmp_path: Path) -> None:
    database = tmp_path / "workbench.duckdb"
    with duckdb.connect(database) as con:
        con.execute("create schema raw")
        con.execute(
            "create table raw.worldbank_wdi__indicators as select md5(range::varchar) as"
            " indicator_code, md5((range + 1)::varchar) as indicator_name from range(200000)"
        )
    spoil(database, database.stat().st_size // 2, 1 << 20)
    table = "raw.worldbank_wdi__indicators"
    with pytest.raises(BadInput, match="a damaged database file"):
        run_suites(database, [Batch("raw", table, f"select * from {table}")], Settings())


def test_a_damaged_candidate_is_rebuilt_instead_of_published(warehouse: Warehouse) -> None:
    ready_to_publish(warehouse)
    settings = warehouse.settings
    with open_workbench(settings) as con:
        assert publication_blockers(settings, con) == []
    spoil(settings.candidate, 0)
    with open_workbench(settings) as con:
        (reason,) = publication_blockers(settings, con)
    assert reason.startswith("the candidate file cannot be read")
    with pytest.raises(BadInput, match="the candidate file cannot be read"):
        warehouse.publish_candidate()
    assert integrity_errors(settings.warehouse) == []


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_publication_is_named_and_rolled_back(
    warehouse: Warehouse, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = warehouse.settings
    first = held_by(settings.warehouse)
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    damage(settings.warehouse)
    code, output = run_once(capsys)
    assert code == FAILED
    assert output.startswith("REFUSED the published file cannot be read")
    assert "`make rollback`" in output
    assert roll_back(settings) == first == held_by(settings.warehouse)
    assert integrity_errors(settings.warehouse) == []


def test_without_any_other_publication_a_damaged_one_is_deleted_and_published_again(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = warehouse.settings
    warehouse.restore_candidate()
    spoil(settings.warehouse, 0)
    settings.warehouse.unlink()  # as the message says
    code, output = run_once(capsys)
    assert code == PUBLISHED
    assert output.startswith("published ")
    assert integrity_errors(settings.warehouse) == []


def test_no_damaged_publication_goes_live(warehouse: Warehouse) -> None:
    settings = warehouse.settings
    warehouse.restore_candidate()
    newest = warehouse.publish_candidate().publication_id
    old = kept_publications(settings)[1]
    old.chmod(0o644)
    with duckdb.connect(old) as con:
        con.execute("update marts.mart_world_ranking set receipts_usd_m = 0")
    with pytest.raises(BadInput, match=r"marts\.mart_world_ranking is not as published"):
        roll_back(settings)
    assert held_by(settings.warehouse) == newest


# The clock jumps backwards


def test_the_last_entry_counts_even_if_the_clock_jumped_backwards(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = warehouse.settings
    first = held_by(settings.warehouse)
    put_back = system_clock() - timedelta(days=400)
    monkeypatch.setattr(ledger_schema, "system_clock", lambda: put_back)
    published = []
    for _ in range(2):
        warehouse.restore_candidate()
        published.append(warehouse.publish_candidate().publication_id)
    assert first < published[0] < published[1]
    assert publication_id(settings) == published[1] == held_by(settings.warehouse)
    code, output = run_once(capsys)
    assert code == PUBLISHED
    assert f"nothing new: publication {published[1]} stays live" in output
    with open_workbench(settings) as con:
        started = start_candidate(con, "made-up-run", "made-up", "made-up", None)
        assert current_candidate(con) == (started, "made-up")
    assert roll_back(settings) == published[0]


def test_the_newest_publication_is_the_live_one_even_if_the_ledger_is_of_before(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was days ahead when they were published; then an old workbench was restored."""
    settings = warehouse.settings
    (kept,) = kept_publications(settings)
    ahead = system_clock() + timedelta(days=9)
    for hours in range(settings.keep_publications):
        name = f"royalty_flows-{ahead + timedelta(hours=hours):%Y%m%dT%H%M%S}000.duckdb"
        shutil.copy2(kept, kept.with_name(name))
    last = publication_time(kept_id(kept_publications(settings)[0]))
    warehouse.restore_candidate()
    published = warehouse.publish_candidate()
    assert publication_time(published.publication_id) > last
    assert kept_publications(settings)[0].name.endswith(f"{published.publication_id}.duckdb")
    assert publication_id(settings) == published.publication_id == held_by(settings.warehouse)
    assert published.published_at == publication_time(published.publication_id)
    warehouse.restore_candidate()
    assert warehouse.publish_candidate().publication_id > published.publication_id


# Simultaneous runs


def test_each_of_several_simultaneous_runs_completes_or_says_that_it_must_wait(
    warehouse: Warehouse,
) -> None:
    before = warehouse.workbench("from audit.publication")
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "dagster_project", "run"],
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(4)
    ]
    outcomes = [(process.communicate()[0], process.returncode) for process in runs]
    for output, code in outcomes:
        if code == FAILED:
            assert output.startswith("REFUSED another run is writing")
        else:
            assert "nothing new" in output
    assert {code for _, code in outcomes} <= {PUBLISHED, FAILED}
    assert PUBLISHED in {code for _, code in outcomes}
    assert warehouse.workbench("from audit.publication") == before


HOLD = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read_only") as con:
    for _ in sys.stdin:
        found = con.execute(
            "select max(publication_id), (select count(*) from core.fct_royalty_flows)"
            " from audit.publication" if sys.argv[2] == "read_only" else "select 1, 1"
        )
        print(*found.fetchall()[0], flush=True)
"""


class Holder:
    """A client that opens a file and keeps it open."""

    def __init__(self, path: Path, mode: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.first = self.ask()

    def ask(self) -> str:
        assert self.process.stdin
        assert self.process.stdout
        print(file=self.process.stdin, flush=True)
        return self.process.stdout.readline()

    def __enter__(self) -> "Holder":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


def test_a_reader_that_never_lets_go_keeps_its_publication_and_stops_no_other(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_KEEP_PUBLICATIONS", "2")
    settings = warehouse.settings
    first = held_by(settings.warehouse)
    with Holder(settings.warehouse, "read_only") as reader:
        for _ in range(3):
            warehouse.restore_candidate()
            newest = warehouse.publish_candidate().publication_id
        assert first not in {held_by(path) for path in kept_publications(settings)}
        assert reader.ask() == reader.first
        assert reader.first.startswith(first)
    assert held_by(settings.warehouse) == newest


def test_a_program_that_has_the_workbench_open_is_named(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    with Holder(warehouse.settings.workbench, "write") as other:
        code, output = run_once(capsys)
        assert f"PID {other.process.pid}" in output
    assert code == FAILED
    assert output.startswith("REFUSED a file that another process has open")
    assert run_once(capsys)[0] == PUBLISHED


# Dagster's home is lost, and an interrupted publication


def test_a_run_needs_nothing_from_a_lost_dagster_home(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Path(os.environ["DAGSTER_HOME"])
    for _ in range(2):
        ready_to_publish(warehouse)
        code, output = run_once(capsys)
        assert code == PUBLISHED
        assert output.startswith(f"published {publication_id(warehouse.settings)}")
        shutil.rmtree(home)
    code, output = run_once(capsys)
    assert code == PUBLISHED
    assert output.startswith("nothing new")


def test_a_starting_ui_fails_the_runs_orphaned_by_the_last_one(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []

    def become(_: str, arguments: list[str]) -> None:
        became.append(arguments)
        raise SystemExit  # a process that has become another does not go on

    monkeypatch.setattr(os, "execv", become)
    dagster_home()
    with DagsterInstance.get() as instance:
        died = create_run_for_test(instance, status=DagsterRunStatus.STARTED).run_id
        with pytest.raises(SystemExit):
            main(["dev"])
        run = instance.get_run_by_id(died)
    assert run
    assert run.status == DagsterRunStatus.FAILURE
    assert became


@pytest.mark.parametrize("step", ["activate", "reconcile"])
def test_a_publication_interrupted_after_its_rename_is_finished_by_the_next_run(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    settings = warehouse.settings
    warehouse.restore_candidate()
    with monkeypatch.context() as patch:
        patch.setattr(publishing, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    newest = kept_publications(settings)[0]
    reconcile(settings)
    assert newest.samefile(settings.warehouse)
    assert not newest.stat().st_mode & 0o222
    assert warehouse.workbench("select max(publication_id) from audit.publication") == [
        (held_by(newest),)
    ]


def test_a_rollback_is_not_taken_for_an_interrupted_publication(
    warehouse: Warehouse,
) -> None:
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    chosen = roll_back(warehouse.settings)
    reconcile(warehouse.settings)
    assert held_by(warehouse.settings.warehouse) == chosen


def test_a_publication_interrupted_while_it_was_completed_is_resumed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = warehouse.settings
    first = held_by(settings.warehouse)
    warehouse.restore_candidate()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    assert held_by(settings.warehouse) == first
    assert warehouse.publish_candidate().publication_id == held_by(settings.warehouse) > first
    assert integrity_errors(settings.warehouse) == []
