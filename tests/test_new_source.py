"""`make new-source`, in a copy of the folders that it reads and writes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.new_source import left_to_do
from tests.support import writable_copy

# What a program of its own finds in the copy: the source, the models that dbt parses, the suites.
LOOK = """
from dagster_project.gates.suite_files import read_suite, suite_path
from dagster_project.sources import all_sources
from dagster_project.transform.dbt_runner import manifest
assert "bank_of_x" in all_sources()
nodes = [node for node in manifest()["nodes"].values() if "_bank_of_x__" in node["name"]]
models = [f"{node['schema']}.{node['name']}" for node in nodes if node["resource_type"] == "model"]
for table in ["raw.bank_of_x__observations", *sorted(models)]:
    print(table, len(read_suite(table)["expectations"]))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of a checkout, without data."""
    left_out = shutil.ignore_patterns("target", "logs", "__pycache__", "landing_made_up")
    for folder in ("dagster_project", "dbt", "expectations", "tests"):
        writable_copy(PROJECT_ROOT / folder, tmp_path / folder, ignore=left_out)
    return tmp_path


def python(copy: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a program in the copy."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def contents(copy: Path) -> dict[Path, bytes]:
    paths = [path for path in copy.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path.relative_to(copy): path.read_bytes() for path in paths}


def test_a_skeleton_is_a_source_that_says_what_to_fill_in(copy: Path) -> None:
    before = contents(copy)
    names = {"NAME": "bank_of_x", "LIKE": "boj_balance_of_payments"}
    code, output = python(copy, "-m", "tests.new_source", **names)
    assert code == 0, output
    after = contents(copy)
    written = {path for path in after if after[path] != before.get(path)}
    assert set(re.findall(r"^ {6}(\S+)$", output, re.M)) == {str(path) for path in written}
    filled_in = {Path("dbt/models/intermediate/flows/int_united_observations.sql")}
    to_do = {Path(place.partition(":")[0]) for place in left_to_do(copy)}
    queries = {path for path in written if path.match("expectations/*/*.sql")}
    assert written - to_do - queries - filled_in == {
        Path(
            "expectations/intermediate/int_bank_of_x__observations.json"
        )  # whose rule has a ground
    }
    code, output = python(copy, "-c", LOOK)
    assert (code, output.splitlines()) == (
        0,
        [
            "raw.bank_of_x__observations 6",
            "intermediate.int_bank_of_x__observations 1",
            "staging.stg_bank_of_x__observations 1",
        ],
    )


def test_nothing_of_the_other_source_is_copied_that_is_true_of_it_only(copy: Path) -> None:
    python(copy, "-m", "tests.new_source", NAME="bank_of_x", LIKE="ons_services_by_partner")
    texts = {
        path: text.decode() for path, text in contents(copy).items() if "bank_of_x" in path.name
    }
    assert not any("unit_tests" in path.name for path in texts)
    for path, text in texts.items():
        assert "plausibility" not in text
        assert "servicetypebycountry" not in text, path  # a real file, the ground of a rule
        assert "col_bank_of_x" not in text
    for seed in ("economy_code_map", "category_code_map", "sector_code_map"):
        assert "bank_of_x" not in (copy / "dbt" / "seeds" / f"{seed}.csv").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "like", "where"),
    [
        ("Bank-of-X", "boj_balance_of_payments", "NAME"),
        ("../bank_of_x", "boj_balance_of_payments", "NAME"),
        ("", "boj_balance_of_payments", "NAME"),
        ("import", "boj_balance_of_payments", "NAME"),
        ("oecd_tis", "boj_balance_of_payments", "NAME"),
        ("code_lists", "boj_balance_of_payments", "NAME"),  # a module that is not a source
        ("bank_of_x", "bank_of_y", "LIKE"),
        ("bank_of_x", "iso_3166", "LIKE"),  # has no observations
    ],
)
def test_a_name_that_cannot_be_used_is_refused(
    copy: Path, name: str, like: str, where: str
) -> None:
    before = contents(copy)
    code, output = python(copy, "-m", "tests.new_source", NAME=name, LIKE=like)
    assert code == 1
    (message,) = output.splitlines()
    assert message.startswith(f"no skeleton written | where: {where} | expected: ")
    assert contents(copy) == before
