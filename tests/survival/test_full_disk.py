"""A full disk in two steps; `make test-full-disk` has every 64 KB of the last megabyte."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import Scenario
from tests.survival.full_disk import LAST, disk

pytestmark = pytest.mark.slow


def test_whatever_room_is_missing_a_run_ends_with_one_error_and_the_next_gives_the_same_result(
    template: Scenario, tmp_path: Path
) -> None:
    try:
        with disk(tmp_path / "disk"):
            pass
    except PermissionError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.survival.full_disk", "--step", str(LAST)),
            *("--folder", str(tmp_path / "disks")),
            *("--template", str(template.warehouse.folder)),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["problems"] == 0
    ends = [run["by bytes missing"] for run in summary["runs"].values()]
    assert [run[str(LAST)] for run in ends] == ["refused", "refused"]
