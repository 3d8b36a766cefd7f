"""Warehouses that earlier versions made, under this one; and newer files, which are refused."""

import lzma
import subprocess
import sys
import tarfile
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance

from dagster_project.__main__ import main
from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.workbench.ledger_schema import LEDGER_VERSION
from tests.support import FIXTURES, Warehouse, held_by
from tests.upgrades.old_warehouse import KEPT_RUNS, REASON, REJECTED

pytestmark = pytest.mark.slow

ARCHIVES = sorted(FIXTURES.glob("warehouse_*.tar.xz"))
LARGEST = 300_000  # bytes

_WORD, _HEADER = 8, 4096
_MASK = (1 << 64) - 1


def unpack(archive: Path, warehouse: Warehouse) -> None:
    with lzma.open(archive) as packed, tarfile.open(fileobj=packed) as tar:
        tar.extractall(warehouse.folder, filter="data")


def command(*arguments: str) -> tuple[int, str]:
    """Run the command line in a process of its own, as the tests of `tests/test_main.py` do."""
    done = subprocess.run(
        [sys.executable, "-m", "dagster_project", *arguments],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def old(folders: Warehouse) -> Warehouse:
    """The newest warehouse of an earlier version."""
    unpack(ARCHIVES[-1], folders)
    return folders


def test_the_kept_warehouses_are_small() -> None:
    assert len(ARCHIVES) == 2
    assert all(path.stat().st_size <= LARGEST for path in ARCHIVES)


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_a_warehouse_of_an_earlier_version_is_upgraded_and_loses_nothing(
    folders: Warehouse, archive: Path
) -> None:
    unpack(archive, folders)
    held = held_by(folders.settings.warehouse)
    loaded = "select source, release_date, file_name, sha256, loaded_at from audit.releases"
    releases = set(folders.workbench(loaded))
    code, said = command("status")
    assert code == 0
    assert held in said
    assert "ATTENTION" not in said
    assert REASON in said

    code, said = command("run")
    assert code == 0, said
    assert f"ledger upgraded to version {LEDGER_VERSION}" in said
    assert "upgrading the Dagster instance" in said
    assert held_by(folders.settings.warehouse) > held
    assert releases <= set(folders.workbench(loaded))
    source, day = REJECTED.split("/")
    assert folders.workbench(
        f"select status from audit.releases where source = '{source}' and release_date = '{day}'"
    ) == [("rejected",)]
    assert REASON in str(folders.published("from audit.decisions"))
    code, said = command("verify")
    assert (code, said.splitlines()[-1]) == (0, "verified")
    code, said = command("run")
    assert code == 0
    assert said.splitlines()[-1].startswith("nothing new: publication ")
    assert "upgrad" not in said
    dagster_home()
    with DagsterInstance.get() as instance:
        jobs = [run.job_name for run in instance.get_runs()]
    assert jobs[0] == "build"
    assert len(jobs) > KEPT_RUNS
    code, said = command("rollback", "--to", held)
    assert (code, said) == (0, f"publication {held} is live\n")


@pytest.mark.parametrize(
    "arguments", [["run"], ["publish"], ["rebuild"], ["prune"], ["reject", REJECTED]]
)
def test_a_ledger_of_a_newer_version_is_refused_by_name(
    old: Warehouse, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    old.change_ledger(
        "create table audit.ledger_version as select 99 as version, '9.8.7' as project_version"
    )
    before = file_sha256(old.settings.workbench), file_sha256(old.settings.warehouse)
    reason = ["--reason", "any"] if arguments[0] == "reject" else []
    assert main([*arguments, *reason]) == 1
    said = capsys.readouterr().out
    assert f"a ledger of a newer version of the project | where: {old.settings.workbench}" in said
    assert "ledger version 99, written by version 9.8.7" in said
    assert "install version 9.8.7 or later" in said
    assert before == (file_sha256(old.settings.workbench), file_sha256(old.settings.warehouse))
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert "ATTENTION     a ledger of a newer version of the project" in said
    assert held_by(old.settings.warehouse) in said


def of_newer_duckdb(path: Path) -> None:
    """Give a database file the header of a later storage version, with its checksum."""
    content = bytearray(path.read_bytes())
    content[12:20] = (999).to_bytes(_WORD, "little")
    checksum = 5381
    for at in range(_WORD, _HEADER, _WORD):
        word = int.from_bytes(content[at : at + _WORD], "little")
        checksum ^= (word * 0xBF58476D1CE4E5B9) & _MASK
    content[:_WORD] = checksum.to_bytes(_WORD, "little")
    path.write_bytes(content)


def test_a_file_of_a_newer_duckdb_is_refused_by_name(
    old: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    of_newer_duckdb(old.settings.workbench)
    with pytest.raises(duckdb.IOException, match="version number 999"):
        duckdb.connect(old.settings.workbench)
    assert main(["run"]) == 1
    said = capsys.readouterr().out
    assert "a database file of a newer version of DuckDB" in said
    assert "damaged" not in said
    assert "make rebuild" not in said


def test_a_dagster_instance_of_a_newer_version_is_refused_by_name(
    old: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    home = old.folder / "dagster_home"
    (home / "dagster_version").write_text("99.0.1\n")
    assert main(["prune"]) == 1
    said = capsys.readouterr().out
    assert f"REFUSED a Dagster instance of a newer version | where: {home}" in said
    assert "Dagster 99.0.1" in said
