"""Importing a module reads neither settings nor the time: both are passed to it."""

import ast
import subprocess
import sys

import pytest

from dagster_project.base.dagster_postgres import VARIABLE
from dagster_project.base.settings import PROJECT_ROOT
from tests.support import MADE_UP, Warehouse, writable_copy

THE_TIME = {"datetime.now", "datetime.utcnow", "date.today", "time.time"}
PACKAGE = PROJECT_ROOT / "dagster_project"

IMPORT_ALL = """
import os, pkgutil, sys, traceback
from importlib import import_module

import dagster_project
from dagster_project.base.settings import Settings

def ours():
    stack = traceback.extract_stack()[:-2]
    frames = [f for f in stack if "importlib" not in f.filename and f.filename[0] != "<"]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""

class RecordingEnviron(type(os.environ)):
    def __getitem__(self, name):
        where = ours()
        # Definitions are made from dbt's manifest, which lies in the cache folder.
        is_ours = where.startswith(os.path.dirname(dagster_project.__file__))
        if is_ours and "/base/cache_folder.py:" not in where:
            print(f"{where} reads {name}")
        return super().__getitem__(name)

def refused(self, *args, **values):
    print(f"{ours()} constructs Settings")
    raise SystemExit(1)

Settings.__init__ = refused
os.environ.__class__ = RecordingEnviron
for module in pkgutil.walk_packages(dagster_project.__path__, "dagster_project."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
import dagster_project.__main__
"""


def test_no_module_reads_the_environment_or_the_settings_while_it_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_only_the_clock_asks_the_machine_for_the_time() -> None:
    asked = {
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in THE_TIME
    }
    assert {place.partition(":")[0] for place in asked} == {"base/clock.py"}, asked


# Importing one of them is an error. Great Expectations looks for psycopg2, and does without.
RUN = """
import sys

for name in ("obstore", "psycopg2", "dagster_postgres"):
    assert name not in sys.modules
    sys.modules[name] = None
from dagster_project.__main__ import main

raise SystemExit(main(["run"]))
"""


def test_a_run_imports_neither_object_storage_nor_postgresql_unless_they_are_set(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ROYALTY_PUBLISH_URL", VARIABLE):
        monkeypatch.delenv(name, raising=False)
    writable_copy(MADE_UP / "published_figures", folders.landing / "published_figures")
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\npublished 2" in done.stdout
