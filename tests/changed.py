"""Which files of tests a diff touches: `make test-changed`, or `python -m tests.changed <branch>`.

A changed module has the tests beside it (`dagster_project/a/b.py`: `tests/a/test_b.py`), those that
import it, and those of the modules that import it. Any other file has the tests that name it, and
those of the part that it is read with. This is quick and leaves some out; `make test` does not.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import grimp

from dagster_project.base.settings import PROJECT_ROOT

FOR_ALL = (
    "pyproject.toml",
    "uv.lock",
    "tests/conftest.py",
    "tests/support.py",
    "tests/fixtures/landing_made_up/",
)
# Folders whose files are read as one whole, and the tests that read it.
READ_BY = {
    "dbt": ("tests/dbt/", "tests/transform/"),
    "docs": ("tests/test_docs.py",),
    "expectations": ("tests/gates/",),
    "superset": ("tests/superset/",),
}
# The tests of whatever a run executes or reads.
WHOLE_RUN = dict.fromkeys(("dagster_project", "dbt", "expectations"), "tests/pipeline/test_run.py")
SLOW = re.compile(r"^pytestmark = [^\n]*(?:\n    [^\n]*)*pytest\.mark\.slow", re.MULTILINE)


def changed_files(base: str) -> set[str]:
    """Return the files that differ from where this branch left another, and new ones."""

    def lines(*arguments: str) -> list[str]:
        done = subprocess.run(
            ["git", *arguments], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.splitlines()

    (left,) = lines("merge-base", base, "HEAD")
    return {*lines("diff", "--name-only", left), *lines("ls-files", "-o", "--exclude-standard")}


@cache
def texts() -> dict[str, str]:
    """Return the text of each file of tests, by its path."""
    paths = (PROJECT_ROOT / "tests").rglob("test_*.py")
    return {str(path.relative_to(PROJECT_ROOT)): path.read_text("utf-8") for path in paths}


@cache
def imports() -> grimp.ImportGraph:
    """Return what imports what, in the product and its tests, also inside of functions."""
    cache_dir = str(PROJECT_ROOT / ".cache" / "grimp")
    return grimp.build_graph("dagster_project", "tests", cache_dir=cache_dir)


def of_module(file: str) -> set[str]:
    """Return the tests of a module, those that import it, and those of the modules that do."""
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if module not in imports().modules:
        return {file} & texts().keys()
    modules = {module, *imports().find_modules_that_directly_import(module)}
    for helper in [one for one in modules if one.startswith("tests.") and one != "tests.support"]:
        modules |= imports().find_downstream_modules(helper)
    found = {one.replace(".", "/") + ".py" for one in modules}
    for one in modules:
        _, *folders, name = one.split(".") if "." in one else (one, one)
        found.add("/".join(["tests", *folders, f"test_{name}.py"]))
    return found & texts().keys()


def of_other(path: Path) -> set[str]:
    """Return the tests that name a file, and those of the part that it is read with."""
    name = re.compile(rf"\b{re.escape(path.stem if '_' in path.stem else path.name)}\b")
    beside = READ_BY.get(path.parts[0], (f"{path.parent}/",))
    return {test for test, text in texts().items() if name.search(text) or test.startswith(beside)}


def touched(files: Iterable[str]) -> list[str]:
    """Return the files of tests that a diff touches; slow ones only if it changes them."""
    found: set[str] = set()
    for file in (files := set(files)):
        found |= of_module(file) if file.endswith(".py") else of_other(Path(file))
        found |= {WHOLE_RUN[top] for top in [file.partition("/")[0]] if top in WHOLE_RUN}
        found |= texts().keys() if file.startswith(FOR_ALL) else set()
    return sorted(test for test in found if test in files or not SLOW.search(texts()[test]))


if __name__ == "__main__":
    try:
        print("\n".join(touched(changed_files(sys.argv[1]))))
    except subprocess.CalledProcessError:  # git has said why
        sys.exit("name a branch or a commit of this repository: make test-changed BASE=...")
