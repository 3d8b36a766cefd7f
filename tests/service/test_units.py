"""The systemd units of `make install-service`, judged by systemd itself."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.__main__ import main
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.service import units
from tests.support import Warehouse

pytestmark = pytest.mark.slow

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze (Debian: systemd)")
USER = next(user.pw_name for user in pwd.getpwall() if 0 < user.pw_uid < 1000)
EXPOSURE = 2.5  # of 10; systemd calls anything up to 3.9 OK


def analyze(*arguments: str) -> str:
    done = subprocess.run(
        [str(ANALYZE), *arguments], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def odd(folders: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A warehouse folder whose name systemd would read as something else."""
    path = folders.folder / "with space, 50% \"$HOME\" 'a' \\x20"
    monkeypatch.setenv("ROYALTY_WAREHOUSE_DIR", str(path))
    return path


@needs_systemd
def test_system_units_pass_systemds_own_checks_and_are_hardened(
    odd: Path,
    folders: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    to, python = folders.folder / "units", folders.folder / "100 % a" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    assert main(["install-service", "--to", str(to), "--user", USER, "--port", "3456"]) == 0
    written = sorted(to.iterdir())
    assert [path.name for path in written] == [
        "royalty-flows-code.service",
        "royalty-flows-daemon.service",
        "royalty-flows-web.service",
    ]
    said = capsys.readouterr().out
    assert "enable --now royalty-flows-code royalty-flows-daemon royalty-flows-web" in said
    assert analyze("verify", "--man=no", *map(str, written)) == ""
    for path in written:
        text = path.read_text("utf-8")
        assert f"User={USER}\n" in text
        assert f"EnvironmentFile=-{PROJECT_ROOT}/.env\n" in text
        assert re.search(r'^ExecStart="[^"]*python" "-m" "dagster_project" "serve" "', text, re.M)
        assert r"""/with space, 50%% \"$HOME\" 'a' \\x20" """ in text
        (rated,) = re.findall(
            r"Overall exposure level.*: (\d+\.\d)", analyze("security", "--offline=yes", str(path))
        )
        assert float(rated) <= EXPOSURE
    assert '"--port" "3456"' in written[2].read_text()
    assert odd.is_dir()  # the service may not create it
    if os.geteuid() == 0:
        assert odd.owner() == USER


def test_units_of_a_user_have_no_user_and_start_with_the_session(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setenv("HOME", str(folders.folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folders.folder))
    assert main(["install-service"]) == 0
    written = sorted((folders.folder / ".config" / "systemd" / "user").iterdir())
    assert len(written) == 3
    for path in written:
        text = path.read_text("utf-8")
        assert "User=" not in text
        assert "NoNewPrivileges=yes\n" in text
        assert "WantedBy=default.target\n" in text
    if ANALYZE:
        analyze("verify", "--man=no", "--user", *map(str, written))


@pytest.mark.parametrize("user", ["root", "no-such-user"])
def test_a_service_of_root_or_of_no_one_is_refused(
    folders: Warehouse, capsys: pytest.CaptureFixture[str], user: str
) -> None:
    to = folders.folder / "units"
    assert main(["install-service", "--to", str(to), "--user", user]) == 1
    said = capsys.readouterr().out
    assert "REFUSED the service would have no user of its own" in said
    assert "make install-service SERVICE_USER=" in said
    assert not to.exists()


def test_the_commands_of_the_units_are_commands_of_the_program(folders: Warehouse) -> None:
    for part in units.PARTS:
        with pytest.raises(SystemExit) as ended:
            main(["serve", part, "--help"])
        assert ended.value.code == 0
