"""The rules of the house, and that `make lint` fails where one is broken."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import writable_copy

PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook
    for hook in yaml.safe_load((PROJECT_ROOT / ".pre-commit-config.yaml").read_text("utf-8"))[
        "repos"
    ][0]["hooks"]
}
# For each rule of the glossary: texts that it refuses, and texts that it lets stay.
GLOSSARY: dict[str, tuple[list[str], list[str]]] = {
    "mend": (["mend the cause", "test_it_is_mended"], ["fix the cause", "recommended"]),
    "in-force": (
        ["stays in force", "put it into force", "in_force = set()"],
        ["stays live", "enforced", '"in_force": publication'],
    ),
    "tell": (
        ["tells which row", "_told = 1", "nothing to tell"],
        ["says which row", "intellectual property", "file.tell()"],
    ),
    "stand": (
        ["it stands beside its parts", "the numbers stand in files"],
        ["it is beside its parts", "`_U` stands for a code", "stand-in codes", "standard"],
    ),
    "anew": (["made anew"], ["made again"]),
    "broken-off": (
        ["a run that was broken off", "a broken-off rebuild", "where the file broke off"],
        ["a run that was interrupted", "a broken offset"],
    ),
    "amiss": (["nothing amiss", "amiss.append(1)"], ["nothing wrong"]),
    "nobody": (["nobody reads it", "if somebody listens"], ["no reader sees it"]),
    "but-for": (["all runs but for the last"], ["all runs except the last", "but forward"]),
    "say-setting": (["say RELEASE=x make run", "say it: `REASON=x`"], ["run `RELEASE=x make run`"]),
    "noun-clause": (
        ["load what is new", "compare with what was loaded", "What is published stays."],
        ["load new releases", "the message says what is wrong", "What is published?"],
    ),
    "x-a-y": (
        ["one row a cell", "a page a reporter", "once a batch", "one column a year"],
        ["one row per cell", "a row of a table", "one release or a file", "once a day"],
    ),
    "is-no": (["text that is no mark"], ["text that is not a mark", "that is no longer kept"]),
    "is-there": (["every column that is there"], ["every column present"]),
    "is-of": (["no figure is of a year after"], ["no figure belongs to a year after"]),
    "is-to-be": (["it is to be loaded"], ["it must be loaded"]),
    "of-today": (["the releases of today"], ["today's releases"]),
    "for-ever": (["blocked for ever"], ["blocked forever", "for everyone"]),
    "hole": (["a known hole"], ["a known vulnerability", "the whole file"]),
    "thousand-million": (["100 thousand million pounds"], ["100 billion pounds"]),
}


def run(*command: str | Path, cwd: Path, text: str | None = None) -> tuple[int, str]:
    """Exit code and output of a tool of this environment."""
    program = Path(sys.executable).with_name(str(command[0]))
    done = subprocess.run(
        [program, *map(str, command[1:])],
        cwd=cwd,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and of its rules, to break them in."""
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    writable_copy(
        PROJECT_ROOT / "dagster_project",
        tmp_path / "dagster_project",
        ignore=lambda folder, names: [
            name for name in names if Path(folder, name).is_file() and not name.endswith(".py")
        ],
    )
    return tmp_path


def test_three_files_are_loose_in_the_package() -> None:
    loose = {path.name for path in (PROJECT_ROOT / "dagster_project").glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "definitions.py"}


def test_the_architecture_page_has_every_package() -> None:
    page = (PROJECT_ROOT / "docs" / "architecture.md").read_text("utf-8")
    packages = {
        path.parent.name for path in (PROJECT_ROOT / "dagster_project").glob("*/__init__.py")
    }
    assert set(re.findall(r"^\| `[├└] (\w+)/`", page, re.MULTILINE)) == packages


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("base/hashing.py", "import dagster_project.workbench.ledger", "One direction"),
        ("utilities/__init__.py", "", "One direction"),  # a package without a layer
        ("layouts/layout.py", "import dagster_project.layouts.csv_layout", "No circle"),
        ("gates/explain.py", "import dagster", "Dagster only in its own rooms"),
        ("alerts/delivery.py", "import dagster", "Dagster only in its own rooms"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    copy: Path, module: str, line: str, contract: str
) -> None:
    file = copy / "dagster_project" / module
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as text:
        text.write(f"\n{line}\n")
    code, output = run("lint-imports", "--no-logo", "--no-cache", cwd=copy)
    assert code == 1
    assert contract in re.findall(r"^(.*) BROKEN", output, re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("from dagster._core.storage import tags", "PLC2701"),
        ("import dagster._core\nprint(dagster._core)", "SLF001"),
        ("from dagster import _core", "PLC2701"),
        ("print(dg.instance._event_storage)", "SLF001"),
    ],
)
def test_a_private_name_of_a_library_is_refused_outside_patches(line: str, rule: str) -> None:
    def check(folder: str) -> tuple[int, str]:
        options = ("--select", rule, "--output-format", "concise")
        file = f"dagster_project/{folder}/example.py"
        return run(
            "ruff", "check", *options, "--stdin-filename", file, "-", cwd=PROJECT_ROOT, text=line
        )

    code, output = check("gates")
    assert code == 1, output
    assert check("patches")[0] == 0


def test_an_undeclared_dependency_is_refused(copy: Path) -> None:
    with (copy / "dagster_project" / "gates" / "explain.py").open("a") as text:
        text.write("\nimport requests\n")
    code, output = run("deptry", ".", cwd=copy)
    assert code == 1
    (problem,) = [line for line in output.splitlines() if "DEP003" in line or "DEP001" in line]
    assert "'requests' imported" in problem


def test_lint_runs_every_tool() -> None:
    recipe = subprocess.run(
        ["make", "--dry-run", "--always-make", "lint"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    tools = (
        "ruff check",
        "ruff format --check",
        "mypy",
        "sqlfmt --check",
        "lint-imports",
        "deptry",
        "run glossary",
    )
    assert [tool for tool in tools if tool not in recipe] == []


def test_every_rule_of_the_glossary_has_its_examples() -> None:
    glossary = {name for name, hook in HOOKS.items() if hook.get("alias") == "glossary"}
    assert glossary == {f"glossary-{rule}" for rule in GLOSSARY}


@pytest.mark.parametrize("rule", GLOSSARY)
def test_a_rule_of_the_glossary_refuses_one_text_and_passes_another(rule: str) -> None:
    hook = HOOKS[f"glossary-{rule}"]
    flags = re.IGNORECASE if "--ignore-case" in hook["args"] else 0
    found = re.compile(hook["entry"].encode(), flags)
    refused, passed = GLOSSARY[rule]
    assert [text for text in refused if not found.search(text.encode())] == []
    assert [text for text in passed if found.search(text.encode())] == []


@pytest.mark.skipif(not shutil.which("git"), reason="git, which pre-commit lists files with")
def test_a_word_of_the_glossary_is_refused_by_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    repository = tmp_path / "repository"
    (repository / "landing").mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / ".pre-commit-config.yaml", repository)
    (repository / "page.md").write_text("# Runbook\n\nFind the cause and mend it.\n")
    (repository / "landing" / "text.csv").write_text("the treaty is in force\n")  # a publisher's
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    scan = ("pre-commit", "run", "glossary", "--all-files", "--color", "never")
    code, output = run(*scan, cwd=repository)
    assert code == 1
    assert re.findall(r"^(.*?)\.+Failed", output, re.MULTILINE) == [
        'mend: write "fix" or "correct"'
    ]
    assert "page.md:3:Find the cause and mend it." in output
    (repository / "page.md").write_text("# Runbook\n\nFind the cause and fix it.\n")
    assert run(*scan, cwd=repository)[0] == 0


def test_uv_builds_the_package_itself() -> None:
    """Without a download, as long as its version is within the bounds of its build backend."""
    makefile = (PROJECT_ROOT / "Makefile").read_text("utf-8")
    version = makefile.partition("UV_VERSION := ")[2].split()[0]
    (backend,) = PROJECT["build-system"]["requires"]
    assert Requirement(backend).specifier.contains(version)
    assert PROJECT["project"]["scripts"] == {"royalty-flows": "dagster_project.__main__:main"}
