"""Log lines as JSON: those of `make run`, and those that Dagster logs in a run."""

import json
from datetime import datetime
from typing import Any

import dagster as dg
import pytest

from dagster_project.base.logs import say
from dagster_project.defs.loggers import run_loggers
from tests.support import Warehouse
from tests.test_main import command

DAY = "2020-01-31"


@pytest.fixture
def as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROYALTY_LOG_FORMAT", "json")


def parsed(text: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert datetime.fromisoformat(line["time"]).tzinfo
        assert line["level"] in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
        assert line["message"]
    return lines


def test_a_person_reads_text(capsys: pytest.CaptureFixture[str]) -> None:
    say("  accepted x", source="x")
    assert capsys.readouterr().out == "  accepted x\n"
    assert run_loggers(as_json=False) == {}


@pytest.mark.usefixtures("as_json")
def test_a_log_store_reads_known_columns_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("  accepted x\nof two lines", source="x", release=None)
    (line,) = parsed(capsys.readouterr().out)
    assert line.keys() == {"time", "level", "message", "source"}
    assert line["message"] == "accepted x\nof two lines"


@pytest.mark.usefixtures("as_json")
def test_log_lines_name_source_release_run_and_problem(
    capfd: pytest.CaptureFixture[str],
) -> None:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition([DAY]))
    def made_up(context: dg.AssetExecutionContext) -> None:
        context.log.warning("look %s", "here")
        raise dg.Failure("it is broken")

    job = dg.define_asset_job("ingest_made_up", selection=[made_up])
    made = dg.Definitions(assets=[made_up], jobs=[job], loggers=run_loggers(as_json=True))
    result = made.resolve_job_def("ingest_made_up").execute_in_process(
        partition_key=DAY,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "INFO"}}}},
    )
    lines = parsed(capfd.readouterr().err)
    for line in lines:
        assert (line["source"], line["release"]) == ("made_up", DAY)
        assert (line["run_id"], line["job"]) == (result.run_id, "ingest_made_up")
    (warning,) = [line for line in lines if "event" not in line]
    assert (warning["level"], warning["message"], warning["step"]) == (
        "WARNING",
        "look here",
        "made_up",
    )
    (failed,) = [line for line in lines if line.get("event") == "STEP_FAILURE"]
    assert "it is broken" in failed["error"]


@pytest.mark.usefixtures("as_json")
def test_make_run_says_every_line_as_json(warehouse: Warehouse) -> None:
    warehouse.land("worldbank_wdi", "latest", "a.csv", "1")
    command_result = command("run")
    (refused,) = [line for line in parsed(command_result.stdout) if line["level"] == "ERROR"]
    assert "a release folder whose name is not a date" in refused["message"]
    assert command_result.stderr == ""


def test_an_invalid_setting_is_reported_as_json_too(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, as_json: None
) -> None:
    monkeypatch.setenv("ROYALTY_DUCKDB_THREADS", "none")
    (line,) = parsed(command("run").stdout)
    assert line["level"] == "ERROR"
    assert "ROYALTY_" in line["message"]
