"""The steps of the Containerfile, one by one on this machine, without a container engine.

Everything but the base image: what is copied, what is installed, as whom it runs, on what it may
write. `/srv/royalty-flows` and `/data` are folders of the test.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import rows

pytestmark = pytest.mark.slow

CONTAINERFILE = PROJECT_ROOT / "Containerfile"
_ID = 10001


def steps() -> list[tuple[str, str]]:
    text = CONTAINERFILE.read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_it_copies_no_secret_and_no_data_and_uses_the_commands_of_the_readme() -> None:
    readme = (PROJECT_ROOT / "README.md").read_text("utf-8")
    made = [target for _, rest in steps() for target in re.findall(r"\bmake (\w+)", rest)]
    command = next(json.loads(rest) for word, rest in steps() if word == "CMD")
    assert made == ["install"]
    assert command == ["make", "run"]
    for target in (*made, command[1]):
        assert f"make {target}" in readme
    words = [word for word, _ in steps()]
    assert words.index("USER") < words.index("CMD")
    assert words.count("VOLUME") == 1
    ignored = (PROJECT_ROOT / ".containerignore").read_text("utf-8").split("\n")
    for name in (".env", ".git", ".venv", ".venv-bench", ".tools", ".dagster", "warehouse"):
        assert any(fnmatch(name, pattern) for pattern in ignored)


@dataclass(frozen=True)
class Machine:
    """The folders that stand for those of the image, and the user's environment."""

    code: Path
    data: Path
    variables: dict[str, str]

    def run(self, command: str | list[str], **options: Any) -> str:
        done = subprocess.run(
            command,
            shell=isinstance(command, str),
            cwd=self.code,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        return done.stdout

    def in_place(self, text: str) -> str:
        return text.replace("/srv/royalty-flows", str(self.code)).replace("/data", str(self.data))


@pytest.fixture
def machine() -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="image", dir="/tmp"))  # open to the container's user
    folder.chmod(0o755)
    try:
        path = os.environ["PATH"]
        yield Machine(folder / "srv", folder / "data", {"PATH": path, "PYTHON": "python3"})
    finally:
        shutil.rmtree(folder)


def copied(to: Path) -> None:
    """Do what COPY does with what the repository and its changes hold."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=PROJECT_ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("git, which lists the files, is missing, or this is not a clone")
    for name in filter(None, done.stdout.decode().split("\0")):
        source = PROJECT_ROOT / name
        if source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run the steps as another user")
def test_its_steps_publish_as_a_user_without_a_name_on_code_that_cannot_be_changed(
    machine: Machine,
) -> None:
    as_user: dict[str, Any] = {}
    command: list[str] = []
    for word, written in steps():
        rest = machine.in_place(written)
        match word:
            case "FROM" | "WORKDIR":
                continue
            case "COPY":
                copied(machine.code)
            case "RUN" if rest.startswith("apt-get"):
                assert shutil.which("make")
            case "RUN":
                cache = os.environ.get("UV_CACHE_DIR", str(PROJECT_ROOT / ".tools" / "cache"))
                machine.variables["UV_CACHE_DIR"] = cache
                machine.run(rest)
                del machine.variables["UV_CACHE_DIR"]
            case "ENV":
                name, _, value = rest.partition("=")
                machine.variables[name] = value
            case "VOLUME":
                assert rest == str(machine.data)
            case "USER":
                user, group = map(int, rest.split(":"))
                as_user = {"user": user, "group": group, "extra_groups": [], "umask": 0o022}
            case "CMD":
                command = json.loads(rest)
            case _:
                pytest.fail(f"a step that this test does not know: {word}")
    assert as_user["user"] == _ID
    before = {path: path.stat().st_mtime_ns for path in machine.code.rglob("*")}
    _skip_unless_python_runs(machine, as_user)
    assert "published" in machine.run(command, **as_user)
    assert "nothing new" in machine.run(command, **as_user)
    assert "up to date" in machine.run(["make", "status"], **as_user)
    assert "verified" in machine.run(["make", "verify"], **as_user)
    assert {path: path.stat().st_mtime_ns for path in machine.code.rglob("*")} == before
    published = machine.data / "warehouse" / "royalty_flows.duckdb"
    assert rows(published, "select count(*) > 0 from core.fct_royalty_flows") == [(True,)]
    assert {path.stat().st_uid for path in machine.data.rglob("*")} == {_ID}


def _skip_unless_python_runs(machine: Machine, as_user: dict[str, Any]) -> None:
    python = machine.code / ".venv" / "bin" / "python"
    try:
        subprocess.run([python, "-V"], capture_output=True, check=True, **as_user)
    except PermissionError:
        pytest.skip(f"another user may not run {python.resolve()}")
