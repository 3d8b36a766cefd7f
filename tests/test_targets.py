"""`make test` and `make test-slow` together run every test, once."""

import re
import shlex
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import COLLECTED

# What is slow by its kind. A slow test of anything else is made fast, not moved.
SLOW = {
    "survival": "crashes and readers",
    "corpus": "corrupt files",
    "defs/test_year.py": "the simulated year",
    "superset": "Superset, except the test of its files that needs no server",
    "ui": "the browser",
    "report/test_browser.py": "the browser",
}


def targets() -> dict[str, list[str]]:
    """Return the pytest options of each target that runs tests."""
    recipes = re.findall(
        r"^(test[\w-]*):[^\n]*\n\t@\$\(PYTEST\)(.*)$", (PROJECT_ROOT / "Makefile").read_text(), re.M
    )
    return {target: shlex.split(options) for target, options in recipes}


def test_every_test_is_in_exactly_one_target(pytestconfig: pytest.Config) -> None:
    assert targets()["test"] == ["-m", "not slow"]
    assert targets()["test-slow"] == ["-m", "slow"]
    ran_by_ci = re.findall(r"^make (test\S*)$", (PROJECT_ROOT / ".ci" / "run").read_text(), re.M)
    assert ran_by_ci == ["test", "test-slow"]
    collected = pytestconfig.stash[COLLECTED]
    assert len({item.nodeid for item in collected}) == len(collected) > 0


def test_tests_are_slow_by_kind(pytestconfig: pytest.Config) -> None:
    tests = Path(__file__).parent
    misplaced = [
        item.nodeid
        for item in pytestconfig.stash[COLLECTED]
        if bool(item.get_closest_marker("slow"))
        != any(item.path.is_relative_to(tests / kind) for kind in SLOW)
        and item.path.name != "test_files.py"
    ]
    assert misplaced == []
