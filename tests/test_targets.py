"""`make test` and `make test-slow` together run every test, once."""

import re
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import COLLECTED

# Tests that are slow by kind. A slow test of anything else is made fast, not moved.
SLOW = {
    "survival": "crashes and readers",
    "corpus": "corrupt files",
    "defs/test_year.py": "the simulated year",
    "service": "the processes of a service, a container's steps",
    "upgrades": "warehouses of earlier versions",
    "superset": "Superset; but `test_files.py` needs it in one test alone",
    "ui": "the browser",
    "report/test_browser.py": "the browser",
}


def test_every_test_is_in_exactly_one_target(pytestconfig: pytest.Config) -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text()
    chosen = dict(re.findall(r'^(test[\w-]*):.*\n\t@\$\(PYTEST\).* -m "(.*)"$', makefile, re.M))
    assert chosen == {"test": "not slow", "test-slow": "slow"}
    assert not re.search(r"--(ignore|deselect)|-k ", makefile)
    ci = (PROJECT_ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^make (test.*)$", ci, re.M) == ["test", "test-slow"]
    collected = [item.nodeid for item in pytestconfig.stash[COLLECTED]]
    assert len(set(collected)) == len(collected) > 0


def test_tests_are_slow_by_kind(pytestconfig: pytest.Config) -> None:
    folder = Path(__file__).parent
    of_a_kind: set[str] = set()
    others: set[str] = set()
    for item in pytestconfig.stash[COLLECTED]:
        kinds = [kind for kind in SLOW if item.path.is_relative_to(folder / kind)]
        if bool(kinds) != bool(item.get_closest_marker("slow")):
            (of_a_kind if kinds else others).add(str(item.path.relative_to(folder)))
    assert of_a_kind <= {"superset/test_files.py"}
    assert others <= {
        "security/test_hostile_page.py",
        "security/test_native_crash.py",
        "security/test_neighbours.py",
    }
