"""Where a step reports its progress: the run's log, and the output of `make run`."""

import json
import time
from typing import Any

import dagster as dg
import pytest

from dagster_project.base.dagster_home import BY_MAKE_RUN
from dagster_project.defs.loggers import run_loggers
from dagster_project.defs.progress import progress_report

LINE = "made_up: 50 %: 2 of 4 nodes, "
PATIENCE_SECONDS = 20


@dg.asset
def made_up(context: dg.AssetExecutionContext) -> None:
    report = progress_report(context, interval=0.001)
    with report.follow("made_up", " nodes", 4) as progress:
        progress.advance(2)
        until = time.monotonic() + PATIENCE_SECONDS
        while not logged(context.instance, context.run_id) and time.monotonic() < until:
            pass


def logged(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    entries = [entry for entry in instance.all_logs(run_id) if not entry.dagster_event]
    return [entry.user_message for entry in entries if entry.user_message.startswith(LINE)]


def run(tags: dict[str, str], **definitions: Any) -> list[str]:
    """Materialize the asset; return the lines in the log of its run."""
    job = dg.define_asset_job("part", selection="made_up")
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            dg.Definitions(assets=[made_up], jobs=[job], **definitions)
            .resolve_job_def("part")
            .execute_in_process(
                run_config={"loggers": {"console": {"config": {"log_level": "INFO"}}}},
                instance=instance,
                tags=tags,
            )
        )
        return logged(instance, result.run_id)


def test_a_run_from_the_ui_reports_progress_in_its_log_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = run({})
    assert lines
    assert lines[0].endswith(" nodes/s, 00:00 left")
    assert LINE not in capsys.readouterr().out


def test_make_run_prints_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = run(BY_MAKE_RUN)
    printed = capsys.readouterr().out.splitlines()
    assert printed[: len(lines)] == [f"  {line}" for line in lines]


def test_json_output_contains_only_events(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROYALTY_LOG_FORMAT", "json")
    lines = run(BY_MAKE_RUN, loggers=run_loggers(as_json=True))
    written = capsys.readouterr()
    assert written.out == ""
    events = [json.loads(line) for line in written.err.splitlines() if LINE in line]
    assert [event["message"] for event in events] == lines
    assert {(event["level"], event["job"], event["step"]) for event in events} == {
        ("INFO", "part", "made_up")
    }
