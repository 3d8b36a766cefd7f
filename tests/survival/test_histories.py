"""A short history; `make test-histories` draws any number of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import Scenario
from tests.survival.histories import KINDS, PROJECT_CHANGES, drawn

pytestmark = pytest.mark.slow


def test_a_seed_gives_the_same_steps_and_every_kind_is_drawn() -> None:
    assert drawn(1, 8) == drawn(1, 8) != drawn(2, 8)
    assert drawn(1, 8)[:5] == drawn(1, 5)  # so that a shorter history is the beginning
    assert {step.kind for seed in range(20) for step in drawn(seed, 8)} == set(KINDS)


@pytest.mark.parametrize(
    ("name", "old", "new"), [change for of in PROJECT_CHANGES.values() for change in of]
)
def test_every_change_of_the_project_is_one(name: str, old: str, new: str) -> None:
    text = (PROJECT_ROOT / name).read_text("utf-8")
    assert re.sub(old, new, text) != text


def test_whatever_happened_a_warehouse_equals_one_built_from_nothing(
    template: Scenario, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.survival.histories", "--histories", "1", "--steps", "2"),
            *("--seed", "5", "--folder", str(tmp_path / "history")),
            *("--template", str(template.warehouse.folder)),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["compared with a full refresh"] == 2
    assert summary["compared with nothing"] == 1
    assert summary["problems"] == 0
