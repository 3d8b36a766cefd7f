"""Other users: one who owns nothing but the warehouse folder, and readers."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import TEXT, Scenario, Warehouse, held_by

USER = 54321  # without an entry in passwd
CODE = ("dagster_project", "dbt", "expectations", "landing", "pyproject.toml", "workspace.yaml")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")


def interpreter() -> str:
    """Return a Python of this version that every user can run, with this one's packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for found in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if Path(found).exists() and runs([found, "-c", "import ctypes"]):
            return found
    pytest.skip(f"{sys.executable} is in a folder that is closed to other users")


def runs(command: list[str]) -> bool:
    try:
        subprocess.run(command, check=True, user=USER, group=USER, extra_groups=[], cwd="/")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def as_user(
    code: Path, variables: dict[str, str], *arguments: str, umask: int = 0o077, text: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user without a home, in an environment that has nothing but these."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    return subprocess.run(
        [interpreter(), "-m", "dagster_project", *arguments],
        cwd=code,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": packages, "LC_ALL": "C", **variables},
        user=USER,
        group=USER,
        extra_groups=[],
        umask=umask,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def open_parents(folder: Path) -> None:
    """Let everybody through pytest's own folders, which are private."""
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & stat.S_IXOTH:
            parent.chmod(parent.stat().st_mode | 0o055)


def state(*folders: Path) -> dict[str, tuple[int, int, int]]:
    """Return the permissions, size and time of everything below folders."""
    return {
        str(path): (found.st_mode, found.st_size, found.st_mtime_ns)
        for folder in folders
        for path in (folder, *folder.rglob("*"))
        for found in (path.lstat(),)
    }


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout without permission to write, under a path that is hard on programs."""
    folder = tmp_path_factory.mktemp("code") / "it's 100% read-only #1"
    for name in CODE:
        source = PROJECT_ROOT / name
        left_out = shutil.ignore_patterns("__pycache__", "target", "logs")
        folder.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=left_out)
        else:
            shutil.copy(source, folder / name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    open_parents(folder)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The only folder that the user may write to, and the settings that lead there."""
    folder = tmp_path / "own"
    folder.mkdir()
    os.chown(folder, USER, USER)
    open_parents(folder)
    landing = tmp_path / "landing" / "published_figures" / "2019-06-30"
    landing.mkdir(parents=True)
    shutil.copy(TEXT, landing)
    for path in (tmp_path / "landing", *(tmp_path / "landing").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask of this process is
    yield {
        "ROYALTY_LANDING_DIR": str(tmp_path / "landing"),
        "ROYALTY_BUNDLED_RELEASES": "false",
        "ROYALTY_SETTLE_SECONDS": "0",
        "ROYALTY_WAREHOUSE_DIR": str(folder / "warehouse"),
        "DAGSTER_HOME": str(folder / "dagster_home"),
        "TMPDIR": str(folder),
    }
    shutil.rmtree(folder)


def test_a_user_without_a_home_runs_everything_from_a_read_only_checkout(
    code: Path, own: dict[str, str]
) -> None:
    before = state(code)
    run = as_user(code, own, "run")
    assert "published 20" in run.stdout, run.stdout + run.stderr
    assert run.returncode == 0
    for command, said in (
        (["run"], "nothing new"),
        (["status"], "up to date with the current releases"),
        (["verify"], "verified"),
        (["report"], "report on"),
        (["metrics", "receipts"], "receipts"),
        (["prune"], "nothing to remove"),
    ):
        done = as_user(code, own, *command)
        assert done.returncode == 0, done.stdout + done.stderr
        assert said in done.stdout
    shell = as_user(code, own, "sql", text="select 41 + 1;")
    assert "42" in shell.stdout, shell.stderr
    assert state(code) == before
    published = Path(own["ROYALTY_WAREHOUSE_DIR"]) / "royalty_flows.duckdb"
    assert stat.S_IMODE(published.stat().st_mode) == 0o444
    assert stat.S_IMODE(published.parent.stat().st_mode) == 0o755


def test_the_checkouts_own_folders_are_named_with_their_settings(
    code: Path, own: dict[str, str]
) -> None:
    for setting in ("ROYALTY_WAREHOUSE_DIR", "DAGSTER_HOME"):
        done = as_user(code, {name: own[name] for name in own if name != setting}, "run")
        assert done.returncode == 1
        assert re.search(f"{setting} (chose that folder|is a folder of the user)", done.stdout)
        assert "may not be written to" in done.stdout, done.stderr
        assert str(code) in done.stdout


READING = {
    "status": "published     20",
    "verify": "verified",
    "metrics receipts": "receipts",
    "sql": "42",
}


@pytest.fixture
def readable(template: Scenario, folders: Warehouse) -> Warehouse:
    """A warehouse of another user, with a Dagster home, which is closed."""
    warehouse = template.warehouse.copy(folders.folder)
    shutil.copytree(template.warehouse.folder / "dagster_home", folders.folder / "dagster_home")
    open_parents(warehouse.settings.warehouse_dir)
    return warehouse


def folders_of(warehouse: Warehouse) -> list[Path]:
    """Return the folders of the owner; the reader's own is below the same one."""
    home = warehouse.folder / "dagster_home"
    return [warehouse.settings.warehouse_dir, warehouse.landing, home]


@pytest.mark.parametrize("command", READING)
def test_a_reader_reads_and_changes_nothing(
    code: Path, own: dict[str, str], readable: Warehouse, command: str
) -> None:
    settings = own | readable.environment
    before = state(*folders_of(readable))
    done = as_user(code, settings, *command.split(), text="select 41 + 1;")
    assert READING[command] in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert state(*folders_of(readable)) == before


def test_a_readers_commands_that_write_are_refused(
    code: Path, own: dict[str, str], readable: Warehouse
) -> None:
    before = state(*folders_of(readable))
    for command in ("run", "publish", "prune", "rollback", "report", "clean-warehouse --yes"):
        done = as_user(code, own | readable.environment, *command.split())
        assert done.returncode == 1, command
        assert "ROYALTY_WAREHOUSE_DIR" in done.stdout, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert state(*folders_of(readable)) == before


def test_a_reader_writes_the_report_to_a_folder_of_their_own(
    code: Path, own: dict[str, str], readable: Warehouse
) -> None:
    before = state(*folders_of(readable))
    folder = Path(own["TMPDIR"]) / "site"
    done = as_user(code, own | readable.environment, "report", "--to", str(folder))
    assert f"{folder}/index.html" in done.stdout, done.stdout + done.stderr
    assert (folder / "data" / "datapackage.json").is_file()
    assert (folder / "assets" / "vega.js").stat().st_size > 100_000
    assert state(*folders_of(readable)) == before
    again = as_user(code, own | readable.environment, "report", "--to", str(folder))
    assert "REFUSED there is something in the folder" in again.stdout


@pytest.mark.parametrize("user", ["owner", "reader"])
@pytest.mark.parametrize("command", READING)
def test_a_read_only_mount_can_be_read(
    code: Path, own: dict[str, str], readable: Warehouse, command: str, user: str
) -> None:
    folder = str(readable.folder)
    for options in (["--bind", folder, folder], ["-o", "remount,bind,ro", folder]):
        if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
            pytest.skip("no right to mount a folder read-only")
    try:
        settings = own | readable.environment | {"TMPDIR": "/tmp"}
        text = "select 41 + 1;"
        if user == "reader":
            done = as_user(code, settings, *command.split(), text=text)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "dagster_project", *command.split()],
                cwd=PROJECT_ROOT,
                env=os.environ | settings,
                input=text,
                capture_output=True,
                text=True,
                check=False,
            )
    finally:
        subprocess.run(["umount", folder], check=True)
    assert READING[command] in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
    assert held_by(readable.settings.warehouse) in done.stdout or command not in (
        "status",
        "verify",
    )
