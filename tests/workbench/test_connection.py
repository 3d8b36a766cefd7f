import os
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.workbench.connection import open_workbench, transaction, write_lock
from tests.support import Scenario, Warehouse

HOLD = (
    "import sys; from filelock import FileLock\n"
    "with FileLock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
)


def test_another_process_that_writes_is_named_as_such(folders: Warehouse) -> None:
    settings = folders.settings
    settings.warehouse_dir.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.warehouse_dir / ".write.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BadInput) as caught, write_lock(settings):
            pass
        other.kill()
    assert caught.value.what == "another run is writing"
    assert caught.value.where == str(settings.warehouse_dir)
    with write_lock(settings):  # the operating system has freed it
        assert (settings.warehouse_dir / ".write.lock").exists()


def test_the_process_that_holds_the_lock_may_take_it_again(folders: Warehouse) -> None:
    with write_lock(folders.settings), write_lock(folders.settings):
        assert folders.settings.warehouse_dir.is_dir()


def test_the_ledger_exists_once_the_workbench_is_open(folders: Warehouse) -> None:
    for _ in range(2):
        with open_workbench(folders.settings) as con:
            con.execute("from audit.releases").fetchall()
    tables = folders.workbench("select table_name from duckdb_tables() where schema_name = 'audit'")
    assert {"releases", "gate_results", "candidates", "publication"} <= {name for (name,) in tables}


def test_a_transaction_is_stored_whole_or_not_at_all(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table things (n integer)")
    with transaction(con):
        con.execute("insert into things values (1)")
    with pytest.raises(duckdb.ConversionException), transaction(con):
        con.execute("insert into things values (2); insert into things values ('two')")
    assert con.execute("from things").fetchall() == [(1,)]


def test_other_users_cannot_open_the_workbench_or_replace_the_published_file(
    folders: Warehouse,
) -> None:
    before = os.umask(0)
    try:
        with write_lock(folders.settings), open_workbench(folders.settings):
            pass
    finally:
        os.umask(before)
    assert permissions(folders.settings.workbench) == 0o600
    assert permissions(folders.settings.warehouse_dir) == 0o755


def test_published_files_are_readable_by_bi_and_writable_by_none(
    template: Scenario,
) -> None:
    settings = template.warehouse.settings
    kept = list(settings.publications.iterdir())
    assert kept
    assert {permissions(path) for path in (settings.warehouse, *kept)} == {0o444}
    assert permissions(settings.workbench) == 0o600
    assert permissions(settings.candidate.parent) == 0o700
    for folder in (settings.warehouse_dir, settings.publications):
        assert permissions(folder) & 0o022 == 0


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
