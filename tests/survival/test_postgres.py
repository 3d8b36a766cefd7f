"""Dagster's runs in PostgreSQL: the main job, the UI, the server killed, the crash harness."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.base.dagster_postgres import VARIABLE
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import PROJECT_ROOT
from tests.postgres import PASSWORD, Server, needs_postgres, postgres
from tests.support import TEXT, Scenario, Warehouse, held_by
from tests.survival.test_crashes import killed_at
from tests.ui.test_ui import running_ui

pytestmark = [pytest.mark.slow, needs_postgres]

_STATUS = "select pipeline_name, status from runs order by id"
_RUN_SECONDS = 300


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with postgres() as started:
        monkeypatch.setenv(VARIABLE, started.url)
        yield started


def land_another(warehouse: Warehouse) -> None:
    text = TEXT.read_text().replace("2019-06-30", "2020-02-29")
    warehouse.land("published_figures", "2020-02-29", TEXT.name, text)


def main_job() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dagster_project", "run"],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    printed, _ = process.communicate(timeout=_RUN_SECONDS)
    assert PASSWORD not in printed
    return process.returncode, printed


def asked(address: str, query: str) -> dict:
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer)["data"])


def test_runs_of_the_main_job_and_of_the_ui_are_in_the_database(
    server: Server, warehouse: Warehouse, tmp_path: Path
) -> None:
    land_another(warehouse)
    code, printed = ended(main_job())
    assert code == 0, printed
    assert server.rows(_STATUS) == [("ingest_published_figures", "SUCCESS"), ("build", "SUCCESS")]
    home = warehouse.folder / "dagster_home"
    assert not list(home.rglob("*.db")), "files of SQLite"
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert kept
    assert not any(PASSWORD.encode() in path.read_bytes() for path in kept)

    log = tmp_path / "server.log"
    with running_ui(log) as address:
        runs = asked(address, "{ runsOrError { ... on Runs { results { jobName status } } } }")
        assert {"jobName": "build", "status": "SUCCESS"} in runs["runsOrError"]["results"]
        launched = (
            'mutation { launchRun(executionParams: {selector: {jobName: "prune",'
            ' repositoryName: "__repository__", repositoryLocationName: "royalty_flows"},'
            " runConfigData: {}}) { __typename } }"
        )
        assert asked(address, launched)["launchRun"]["__typename"] == "LaunchRunSuccess"
        until = time.monotonic() + _RUN_SECONDS
        while ("prune", "SUCCESS") not in server.rows(_STATUS):
            assert time.monotonic() < until, server.rows(_STATUS)
            time.sleep(1)
        shown = asked(address, "{ instance { info } }")["instance"]["info"]
        assert PASSWORD not in shown
    assert PASSWORD not in log.read_text("utf-8", "replace")


def test_a_server_killed_during_a_run_loses_nothing_and_the_next_run_publishes(
    server: Server, warehouse: Warehouse
) -> None:
    before, held = file_sha256(warehouse.settings.warehouse), held_by(warehouse.settings.warehouse)
    land_another(warehouse)
    process = main_job()
    until = time.monotonic() + _RUN_SECONDS
    while not warehouse.settings.candidate.exists():  # in the middle of the build
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    server.kill()
    code, printed = ended(process)
    assert code == 1, printed
    (line,) = [line for line in printed.splitlines() if line.startswith("FAILED")]
    assert "Dagster's PostgreSQL database cannot be reached" in line
    assert "Traceback" not in printed
    assert "Retrying" not in printed
    assert file_sha256(warehouse.settings.warehouse) == before

    code, printed = ended(main_job())  # still down
    assert code == 1
    assert "PostgreSQL database cannot be reached" in printed.splitlines()[-1]
    assert file_sha256(warehouse.settings.warehouse) == before

    server.start()
    code, printed = ended(main_job())
    assert code == 0, printed
    assert held_by(warehouse.settings.warehouse) > held
    assert server.rows(_STATUS) == [
        ("ingest_published_figures", "SUCCESS"),
        ("build", "FAILURE"),
        ("build", "SUCCESS"),
    ]


def test_after_any_crash_with_runs_in_the_database_the_next_run_gives_the_same_result(
    server: Server, template: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The runs that are killed open the instance as Dagster's own commands do.
    monkeypatch.setenv(VARIABLE, server.url.replace("postgresql:", "postgresql+psycopg2:"))
    assert killed_at(template, tmp_path, kills=10, chosen=1, by_chance=0)["kills"] >= 10
    ((runs,),) = server.rows("select count(*) from runs")
    assert runs > 10  # those that were killed, and those that followed
