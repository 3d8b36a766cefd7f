"""Other users of the machine: what they can read, and what they can hold or replace.

Whole trees are walked after runs of the real command, under several umasks.
"""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.errors import TryLater
from dagster_project.base.private_files import make_private
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.workbench.connection import open_workbench, write_lock
from tests.pipeline.test_run import text_of
from tests.support import Warehouse

NEIGHBOUR = 65534
PUBLISHED = ("royalty_flows.duckdb", "publications", "exports", "report", "reports")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def tree(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder, without following links."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def is_published(path: Path, settings: Settings) -> bool:
    return path.relative_to(settings.warehouse_dir).parts[0] in PUBLISHED


def check(warehouse: Warehouse) -> None:
    """Fail unless all that is published can be read by all, and nothing else by anyone."""
    settings, home = warehouse.settings, warehouse.folder / "dagster_home"
    assert permissions(settings.warehouse_dir) == 0o755
    found = [path for path in tree(settings.warehouse_dir) if not path.is_symlink()]
    readable = {path for path in found if is_published(path, settings)}
    assert {path.name for path in readable} >= {"royalty_flows.duckdb", "index.html", "exports"}
    for path in readable:
        wanted = (0o755,) if path.is_dir() else (0o444, 0o644)
        assert permissions(path) in wanted, f"{path}: {permissions(path):o}"
    private = [*(path for path in found if path not in readable), home, *tree(home)]
    names = {path.name for path in private}
    assert names >= {".write.lock", "workbench.duckdb", "candidate", "dbt_target", "make_run.yaml"}
    for path in private:
        assert not permissions(path) & 0o077, f"{path}: {permissions(path):o}"


def command(warehouse: Warehouse, umask: int, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "dagster_project", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | warehouse.environment,
        umask=umask,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "umask",
    [
        0o077,
        pytest.param(0o000, marks=pytest.mark.slow),
        pytest.param(0o022, marks=pytest.mark.slow),
    ],
)
def test_only_what_is_published_can_be_read_whatever_the_umask(
    folders: Warehouse, umask: int
) -> None:
    deep = Warehouse(folders.folder / "new" / "folders")
    deep.land("published_figures", "2019-06-30", "made_up.csv", text_of("2019-06-30"))
    shutil.rmtree(deep.folder / "dagster_home", ignore_errors=True)
    command(deep, umask, "run")
    command(deep, umask, "report")
    check(deep)
    loosen(deep)
    command(deep, umask, "status")
    command(deep, umask, "prune")
    check(deep)
    if os.geteuid() == 0:
        private = Path(tempfile.gettempdir())
        for parent in deep.settings.warehouse.parents:
            if parent.is_relative_to(private) and parent != private:
                parent.chmod(permissions(parent) | 0o011)  # pytest's folders are private
        reads_as_neighbour(deep.settings)


def loosen(warehouse: Warehouse) -> None:
    """Open everything that is not published, as earlier versions left it."""
    settings, home = warehouse.settings, warehouse.folder / "dagster_home"
    settings.warehouse_dir.chmod(0o777)
    settings.publications.chmod(0o777)
    for path in [*tree(settings.warehouse_dir), home, *tree(home)]:
        if path.is_relative_to(home) or not is_published(path, settings):
            path.chmod(0o777 if path.is_dir() else 0o666)


def reads_as_neighbour(settings: Settings) -> None:
    script = (
        f"import os, sys; os.setgroups([]); os.setgid({NEIGHBOUR}); os.setuid({NEIGHBOUR})\n"
        "for path in sys.argv[1:]: open(path, 'rb').read(1)\n"
    )
    published = [settings.warehouse, settings.report / "index.html"]
    published += [settings.exports / "current" / "datapackage.json"]
    subprocess.run([sys.executable, "-c", script, *map(str, published)], check=True)
    for path in (settings.workbench, settings.warehouse_dir / ".write.lock"):
        refused = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, check=False
        )
        assert b"PermissionError" in refused.stderr


def test_dagsters_folder_is_closed_with_all_that_is_in_it(folders: Warehouse) -> None:
    home = folders.folder / "dagster_home"
    (home / "history" / "runs").mkdir(parents=True)
    log = home / "history" / "runs" / "run.db"
    log.touch()
    for path in (home, *tree(home)):
        path.chmod(0o777)
    assert dagster_home() == home
    for path in (home, *tree(home)):
        assert not permissions(path) & 0o077


def test_a_link_is_not_followed_when_folders_are_closed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.touch()
    outside.chmod(0o644)
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "link").symlink_to(outside)
    make_private(folder)
    assert permissions(outside) == 0o644
    assert permissions(folder) == 0o700


# The lock


@pytest.fixture
def lock(folders: Warehouse) -> Path:
    folders.settings.warehouse_dir.mkdir()
    path = folders.settings.warehouse_dir / ".write.lock"
    path.touch()
    path.chmod(0o644)
    return path


def holding(lock: Path, user: int, *, disguised: bool = False) -> "subprocess.Popen[bytes]":
    """Start a process of another user that holds the lock, opened while that was allowed."""
    script = (
        "import ctypes, fcntl, os, sys\n"
        "file = open(sys.argv[1])\n"
        "if int(sys.argv[2]): os.setgroups([]); os.setgid(int(sys.argv[2]));"
        " os.setuid(int(sys.argv[2]))\n"
        "ctypes.CDLL(None).prctl(4, 0 if int(sys.argv[3]) else 1)\n"  # PR_SET_DUMPABLE
        "fcntl.flock(file, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(lock), str(user), str(int(disguised))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    return process


def released(process: "subprocess.Popen[bytes]") -> None:
    process.communicate()


@AS_ROOT
@pytest.mark.parametrize("disguised", [False, True])
def test_a_lock_that_another_user_holds_is_replaced(
    folders: Warehouse, lock: Path, disguised: bool
) -> None:
    process = holding(lock, NEIGHBOUR, disguised=disguised)
    try:
        with write_lock(folders.settings, timeout=0), open_workbench(folders.settings):
            assert permissions(lock) == 0o600
    finally:
        released(process)


def test_a_lock_that_a_run_of_an_earlier_version_holds_stays(
    folders: Warehouse, lock: Path
) -> None:
    process = holding(lock, os.geteuid())
    try:
        with (
            pytest.raises(TryLater, match="another run is writing"),
            write_lock(folders.settings, timeout=0),
        ):
            pass
        assert permissions(lock) == 0o600
    finally:
        released(process)
    with write_lock(folders.settings, timeout=0):
        pass


def test_a_private_lock_still_excludes(folders: Warehouse, lock: Path) -> None:
    lock.chmod(0o600)
    before = lock.stat().st_ino
    with FileLock(lock), pytest.raises(TryLater), write_lock(folders.settings, timeout=0):
        pass
    assert lock.stat().st_ino == before


@pytest.mark.parametrize("planted", ["symlink", "dangling", "pipe", "another user's"])
def test_a_planted_lock_is_replaced(folders: Warehouse, lock: Path, planted: str) -> None:
    lock.unlink()
    target = folders.folder / "target"
    match planted:
        case "symlink":
            target.touch()
            lock.symlink_to(target)
        case "dangling":
            lock.symlink_to(target)
        case "pipe":
            os.mkfifo(lock)
        case _:
            if os.geteuid() != 0:
                pytest.skip("needs root, to give a file away")
            lock.touch(0o600)
            os.chown(lock, NEIGHBOUR, NEIGHBOUR)
    with write_lock(folders.settings, timeout=0):
        assert stat.S_ISREG(lock.lstat().st_mode)
        assert permissions(lock) == 0o600
        assert lock.stat().st_uid == os.geteuid()
    assert target.exists() == (planted == "symlink")
