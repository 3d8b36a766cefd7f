"""What counts as flat; `make test-week` lets a service run for a simulated week."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import Scenario
from tests.survival.week import SHIFTS, Week

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("kind", "values", "is_flat"),
    [
        ("memory", [100, 200, 300, 310, 310, 300, 312, 310, 311], True),
        ("memory", [100, 110, 120, 130, 140, 150, 160, 170, 180], False),
        ("open files", [10, 12, 14, 14, 14, 13, 13, 14, 14], True),
        ("open files", [10, 11, 12, 13, 14, 15, 15, 15, 16], False),
        ("disk", [500, 400, 500, 410, 510, 400, 410, 510, 400], True),
        ("disk", [500, 500, 500, 500, 500, 500, 500, 500, 600], False),
    ],
)
def test_growth_is_distinguished_from_fluctuation(
    kind: str, values: list[int], is_flat: bool
) -> None:
    week = Week()
    for value in values:
        week.add(kind, "made up", value)
    assert (week.growing() == []) is is_flat


def test_a_service_publishes_what_lands_while_it_is_measured(
    template: Scenario, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.survival.week", "--days", "1"),
            *("--folder", str(tmp_path / "week")),
            *("--template", str(template.warehouse.folder)),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["publications"] >= 1 + SHIFTS
    assert summary["answers"] > SHIFTS
    values = [each["values"] for by in summary["series"].values() for each in by.values()]
    assert {len(each) for each in values} == {SHIFTS}
    assert all(min(each) > 0 for each in values)
    # A day is too short for the caches: what has grown is judged by the week.
    problems = done.stdout.splitlines()[-1 - summary["problems"] : -1]
    assert [line for line in problems if " in the middle third, " not in line] == []
