"""Backup and restore, by the commands of docs/deploying.md, for another user below another path."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.__main__ import main
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import PROJECT_ROOT
from tests.support import Warehouse, rows

pytestmark = pytest.mark.slow

DEPLOYING = PROJECT_ROOT / "docs" / "deploying.md"
REASON = "made up: doubtful"


def documented(what: str) -> str:
    """The commands of the page after the mark `<!-- tested: what -->`."""
    (commands,) = re.findall(
        rf"<!-- tested: {what} -->\n```bash\n(.*?)```", DEPLOYING.read_text("utf-8"), re.S
    )
    return str(commands)


def shell(commands: str, variables: dict[str, str], **options: Any) -> None:
    done = subprocess.run(
        ["bash", "-euc", commands],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def another_user() -> dict[str, Any]:
    """Options of `subprocess.run` for another user of this machine.

    Empty, so that the same user restores, without root's rights, or where others may not run
    Python.
    """
    if os.geteuid() != 0:
        return {}
    user = next(user for user in pwd.getpwall() if 0 < user.pw_uid < 1000)
    options: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-V"], check=True, **options)
    except PermissionError:
        return {}
    return options


def ledger_of(path: Path) -> dict[str, list]:
    """All that the ledger holds, table by table."""
    with duckdb.connect(path, read_only=True) as con:
        tables = con.execute(
            "select table_name from duckdb_tables() where schema_name = 'audit' order by all"
        ).fetchall()
        return {
            name: con.execute(f"from audit.{name} order by all").fetchall() for (name,) in tables
        }


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="100% restored ", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_backup_restored_by_another_user_below_another_path_is_the_same_warehouse(
    warehouse: Warehouse, elsewhere: Path
) -> None:
    for decision in ("reject", "accept"):
        assert main([decision, "worldbank_wdi/2016-03-01", "--reason", REASON]) == 0
    before = ledger_of(warehouse.settings.workbench)
    backup = {"BACKUP": str(elsewhere / "backup.tar")}
    shell(documented("backup"), warehouse.environment | backup)

    as_user = another_user()
    if as_user:
        for path in (elsewhere, *elsewhere.iterdir()):
            shutil.chown(path, as_user["user"])
    restored = Warehouse(elsewhere / "a place")
    environment = restored.environment | {
        "ROYALTY_CACHE_DIR": str(elsewhere / "cache"),
        "HOME": str(elsewhere),
    }
    shell(documented("restore"), environment | backup, **as_user)

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dagster_project", *arguments],
            cwd=PROJECT_ROOT,
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
            **as_user,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert command("verify").splitlines()[-1] == "verified"
    assert command("run").splitlines()[-1].startswith("nothing new: publication ")
    said = command("status")
    assert "up to date with the current releases" in said
    assert said.count(REASON) == 2
    old, new = warehouse.settings, restored.settings
    assert file_sha256(new.warehouse) == file_sha256(old.warehouse)
    assert ledger_of(new.workbench) == before
    assert sorted(path.name for path in new.publications.iterdir()) == sorted(
        path.name for path in old.publications.iterdir()
    )
    every = "select count(*) from raw.worldbank_wdi__observations"
    assert rows(new.workbench, every) == rows(old.workbench, every)
    if as_user:
        assert {path.lstat().st_uid for path in restored.folder.rglob("*")} == {as_user["user"]}


def test_a_backup_waits_for_the_run_that_is_writing(warehouse: Warehouse, elsewhere: Path) -> None:
    from dagster_project.workbench.connection import write_lock

    commands = documented("backup").replace("--wait 3600", "--wait 1")
    variables = warehouse.environment | {"BACKUP": str(elsewhere / "backup.tar")}
    with write_lock(warehouse.settings), pytest.raises(AssertionError):
        shell(commands, variables)
    assert not (elsewhere / "backup.tar").exists()
    shell(commands, variables)
