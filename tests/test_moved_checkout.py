"""A checkout that was copied or moved, with its environment, works where it is now."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT

COPIED = ("dagster_project", "dbt", "expectations", "Makefile", "pyproject.toml", "uv.lock")
PROGRAMS = re.compile(r"\.venv/bin/([\w-]+)")


def checksum(folder: Path) -> str:
    command = "cat pyproject.toml uv.lock | cksum"
    return subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """A copy whose scripts name an environment that is gone, and whose files have any times."""
    folder = tmp_path / "it was moved, 50% off"
    folder.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", "target", "logs")
    for name in COPIED:
        source = PROJECT_ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=left_out)
        else:
            shutil.copy(source, folder / name)
    environment, real = folder / ".venv", Path(sys.prefix)
    if not (real / "pyvenv.cfg").exists():
        pytest.skip("this interpreter is not in a virtual environment")
    (environment / "bin").mkdir(parents=True)
    shutil.copy(real / "pyvenv.cfg", environment)
    (environment / "lib").symlink_to(real / "lib")
    (environment / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    for script in (real / "bin").iterdir():
        if script.is_file() and script.read_bytes()[:2] == b"#!":
            copy = environment / "bin" / script.name
            copy.write_text("#!/gone/.venv/bin/python\n")
            copy.chmod(0o755)
    (environment / "ready").write_text(checksum(folder))
    os.utime(environment / "ready", (1, 1))
    return folder


def make(folder: Path, *arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in hidden},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_commands_run_there_and_install_nothing(moved: Path) -> None:
    done = make(moved, "status")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "published     nothing yet" in done.stdout
    assert "installing" not in done.stdout
    assert not (moved / ".tools").exists()


def test_dagster_makes_its_tables_there_and_so_do_the_processes_that_it_starts(
    moved: Path,
) -> None:
    # Links are resolved: the path of Dagster itself must have the percent sign.
    library, real = moved / ".venv" / "lib", Path(sysconfig.get_path("purelib"))
    library.unlink()
    packages = library / real.relative_to(Path(sys.prefix) / "lib")
    packages.mkdir(parents=True)
    for package in real.iterdir():
        if package.name == "dagster":
            shutil.copytree(package, packages / package.name)
        else:
            (packages / package.name).symlink_to(package)
    make_tables = "from dagster import DagsterInstance; DagsterInstance.ephemeral()"
    script = f"""
import subprocess, sys
import dagster_project
{make_tables}
subprocess.run([sys.executable, "-c", {make_tables!r}], check=True)
"""
    done = subprocess.run(
        [moved / ".venv" / "bin" / "python", "-c", script],
        cwd=moved,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_another_lock_file_or_no_interpreter_installs(moved: Path) -> None:
    (moved / ".tools" / "bin").mkdir(parents=True)
    uv = moved / ".tools" / "bin" / "uv"
    uv.write_text('#!/bin/sh\necho "uv $*"\n')
    uv.chmod(0o755)
    with (moved / "uv.lock").open("a") as lock:
        lock.write("\n")
    assert "uv sync --frozen" in make(moved, "status").stdout
    assert (moved / ".venv" / "ready").read_text() == checksum(moved)
    assert "uv sync" not in make(moved, "status").stdout
    (moved / ".venv" / "bin" / "python").unlink()
    (moved / ".venv" / "bin" / "python").symlink_to("/gone/python")
    assert "uv sync --frozen" in make(moved, "status").stdout


def test_every_program_runs_as_a_module() -> None:
    places = [PROJECT_ROOT / name for name in ("Makefile", ".pre-commit-config.yaml", "README.md")]
    places += [*PROJECT_ROOT.glob("docs/*.md"), *PROJECT_ROOT.glob("*.md")]
    named = {
        f"{path.name}: {program}"
        for path in places
        for program in PROGRAMS.findall(path.read_text("utf-8"))
        if program != "python" and path.name != "CHANGELOG.md"
    }
    assert named == set()


@pytest.mark.parametrize(
    "module",
    ["ruff", "mypy", "sqlfmt", "deptry", "pre_commit", "pytest", "dagster_dg_cli.cli"],
)
def test_the_modules_exist(module: str) -> None:
    command = [sys.executable, "-m", module, "--version"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_ui_starts_by_modules_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster_project.base.settings import Settings
    from dagster_project.commands import reading, serving

    started: list[list[str]] = []
    monkeypatch.setenv("VIRTUAL_ENV", "/gone/.venv")
    monkeypatch.setattr(os, "execv", lambda _, command: started.append(command))
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(serving, "_refuse_if_taken", lambda _: None)
    monkeypatch.setattr(reading, "refuse_if_unpublished", lambda *_: None)
    monkeypatch.setattr(reading, "publications_in", lambda _: [])
    options = argparse.Namespace(port=3000)
    serving.open_ui(Settings(), options)
    reading.open_shell(Settings(), options)
    assert [command[:2] for command in started] == [[sys.executable, "-m"]] * 2
    assert os.environ["VIRTUAL_ENV"] == sys.prefix
