"""The job that verifies the live publication, and its schedule."""

import subprocess
from typing import Any

import dagster as dg
import pytest

from dagster_project.defs import verification as module
from tests.defs.test_jobs import start
from tests.support import Warehouse, defs


@pytest.mark.parametrize(
    ("command", "code", "done"),
    [
        ("print('publication 1 equals one that was built from nothing')", 0, True),
        ("print('building'); print('DIFFERENT rows of core.a: 1'); raise SystemExit(1)", 1, False),
        ("raise ValueError('broken')", 1, False),
    ],
)
def test_the_job_succeeds_or_fails_as_the_command_does(
    command: str, code: int, done: bool, folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subprocess.run

    def run(arguments: list[str], **options: Any) -> Any:
        assert arguments[1:] == ["-m", "dagster_project", "verify", "--rebuild"]
        finished = real([arguments[0], "-c", command], **options)
        assert finished.returncode == code
        return finished

    monkeypatch.setattr(module.subprocess, "run", run)
    succeeded, said = start("verify_by_rebuild", "build_again_and_compare")
    assert succeeded == done
    assert {0: "equals one", 1: "DIFFERENT rows of core.a: 1"}[code] in said or "broken" in said


def test_the_schedule_is_switched_off_until_a_person_switches_it_on() -> None:
    (schedule,) = [each for each in defs().schedules or [] if each.name == "verify_by_rebuild"]
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert schedule.job_name == "verify_by_rebuild"
