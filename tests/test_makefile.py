"""Texts on make's command line reach the programs as they are; nothing of them is run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT

HOSTILE = {
    "quotes": """it's "wrong" twice""",
    "dollars": "costs $5 or $$6 or ${HOME} or $(HOME)",
    "backquotes": "see `touch {0}`",
    "a command": "x; touch {0} & touch {0} | touch {0} $(touch {0})",
    "a function of make": "$(shell touch {0})",
    "a line end": "first line\nsecond line\ttouch {0}",
    "a dash": "--help",
    "patterns": "* ? [a] ~ # % \\ !",
    "letters": "国 é",
    "ends with a backslash": "x\\",
}
# Started by hand alone: they install, or remove.
NOT_STARTED = {"clean", "help", "clean-warehouse", "install-service"}
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text("utf-8")
TEXTS = re.search(r"^TEXTS := ((?:.*\\\n)*.*)", MAKEFILE, re.M)
TARGETS = sorted(set(re.findall(r"^([a-z][a-z -]*):.*##", MAKEFILE, re.M)) - NOT_STARTED)
SETTINGS_OF_MAKE = {"PYTEST", "UV", "UV_VERSION", "RUN", "MAKE", "MAKEFILE_LIST", "CURDIR"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the Makefile whose programs note what they are given."""
    folder = tmp_path / "with a space % '"
    # Not the environment's: a first line cannot have a space in its path.
    record = f"#!{Path(sys.executable).resolve()}\nimport json, os, sys\n" + (
        f"with open({str(folder / 'calls')!r}, 'a', encoding='utf-8') as calls:\n"
        "    calls.write(json.dumps([sys.argv, dict(os.environ)]) + '\\n')\n"
    )
    for name in (".venv", ".venv-bench", ".venv-superset"):
        (folder / name / "bin").mkdir(parents=True)
    (folder / ".tools" / "bin").mkdir(parents=True)
    (folder / ".ci").mkdir()
    shutil.copy(PROJECT_ROOT / "Makefile", folder)
    (folder / "superset").mkdir()
    for name in ("pyproject.toml", "uv.lock", "superset/requirements.txt"):
        (folder / name).touch()
    programs = [
        *(f"{name}/bin/python" for name in (".venv", ".venv-bench", ".venv-superset")),
        *(f".venv/bin/{name}" for name in ("sqlfmt", "lint-imports", "deptry", "pre-commit")),
        ".tools/bin/uv",
        ".ci/audit",
    ]
    for name in programs:
        (folder / name).write_text(record, "utf-8")
        (folder / name).chmod(0o755)
    for name in (".venv", ".venv-bench", ".venv-superset"):
        (folder / name / "ready").touch()
    return folder


def make(checkout: Path, *arguments: str, **environment: str) -> list[tuple[list[str], dict]]:
    """Run make; return arguments and environment of each program that it starts."""
    ended = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    calls = checkout / "calls"
    lines = calls.read_text("utf-8").splitlines() if calls.exists() else []
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
@pytest.mark.parametrize("through", ["command line", "environment"])
def test_a_reason_arrives_as_it_was_typed(checkout: Path, text: str, through: str) -> None:
    text = text.replace("{0}", "was-run")
    given = {"RELEASE": text, "REASON": text}
    options = [f"{name}={value}" for name, value in given.items()]
    if through == "command line":
        ((arguments, _),) = make(checkout, "reject", *options)
    else:
        ((arguments, _),) = make(checkout, "reject", **given)
    assert arguments[-4:] == ["reject", f"--reason={text}", "--", text]
    assert not (checkout / "was-run").exists()


@pytest.mark.parametrize("target", TARGETS)
def test_no_text_of_any_target_is_run(checkout: Path, target: str) -> None:
    assert TEXTS
    names = set(TEXTS[1].replace("\\\n", " ").split()) - {"PYTHON"}
    hostile = "\"; touch was-run; `touch was-run` $(shell touch was-run) $(touch was-run) ' $5"
    make(checkout, target, *(f"{name}={hostile}" for name in names))
    assert not (checkout / "was-run").exists()


def test_every_variable_of_a_recipe_is_such_a_text() -> None:
    assert TEXTS
    names = set(TEXTS[1].replace("\\\n", " ").split())
    recipes = "\n".join(re.findall(r"^\t.*", MAKEFILE, re.M))
    of_shell = set(re.findall(r"\$\$\{?([A-Z_]+)", recipes)) - {"PWD"}
    of_make = set(re.findall(r"(?<!\$)\$[({]([A-Z_]+)[)}]", recipes)) - SETTINGS_OF_MAKE
    assert of_shell <= names
    assert of_make <= {"FORCE", "ANYWAY", "DRY_RUN", "REBUILD", "YES"}  # asked only if they are set
    # Whatever the shell expands is in quotes, or the whole of an option that is left out if empty.
    bare = re.sub(r'"[^"]*"|\$\$\{[A-Z_]+:\+(--[a-z]+="\$\$[A-Z_]+"|_landing)\}', "", recipes)
    assert not re.findall(r"\$\$[A-Z{]\w*", bare)


def test_options_that_are_not_given_are_left_out(checkout: Path) -> None:
    targets = ["run", "dev", "rollback", "verify", "rebuild", "prune"]
    calls = [make(checkout, target)[-1] for target in targets]
    assert [arguments[-1] for arguments, _ in calls] == targets
