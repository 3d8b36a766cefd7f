"""The three processes of a service, started as the units start them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.service.processes import PARTS
from tests.support import Warehouse

pytestmark = pytest.mark.slow

_SECONDS = 240

_LAUNCH = (
    'mutation { launchRun(executionParams: {selector: {jobName: "prune",'
    ' repositoryName: "__repository__", repositoryLocationName: "royalty_flows"},'
    " runConfigData: {}}) { __typename } }"
)
_RUNS = "{ runsOrError { ... on Runs { results { jobName status } } } }"
_LOCATIONS = (
    "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus"
    " locationOrLoadError { __typename } } } } }"
)


@contextmanager
def processes(folder: Path, port: int) -> Iterator[dict[str, subprocess.Popen]]:
    started = {}
    try:
        for part in PARTS:
            with (folder / f"{part}.log").open("wb") as log:
                started[part] = subprocess.Popen(
                    [sys.executable, "-m", "dagster_project", "serve", part, "--port", str(port)],
                    cwd=PROJECT_ROOT,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        yield started
    finally:
        for process in started.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for part in started:  # pytest shows them if the test fails
            print((folder / f"{part}.log").read_text("utf-8", "replace")[-3000:])


def asked(port: int, query: str) -> dict:
    """The answer of the UI, as soon as there is one."""
    until = time.monotonic() + _SECONDS
    while True:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql",
            json.dumps({"query": query}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return dict(json.load(answer)["data"])
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < until, "the UI does not answer"
            time.sleep(0.5)


def test_the_three_processes_run_a_job_and_end_when_asked(
    folders: Warehouse, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with processes(tmp_path, port) as started:
        entries = asked(port, _LOCATIONS)["workspaceOrError"]["locationEntries"]
        assert [
            (entry["name"], entry["locationOrLoadError"]["__typename"]) for entry in entries
        ] == [("royalty_flows", "RepositoryLocation")]
        assert asked(port, _LAUNCH)["launchRun"]["__typename"] == "LaunchRunSuccess"
        until = time.monotonic() + _SECONDS
        done = {"jobName": "prune", "status": "SUCCESS"}
        while done not in (runs := asked(port, _RUNS)["runsOrError"]["results"]):
            assert time.monotonic() < until, runs
            assert all(process.poll() is None for process in started.values())
            time.sleep(1)
        home = Path(os.environ["DAGSTER_HOME"])
        assert (home / "code.sock").is_socket()
        assert home.stat().st_mode & 0o077 == 0  # whoever reaches the socket runs code
        for part in ("web", "daemon", "code"):  # as the order of the units has it
            started[part].send_signal(signal.SIGTERM)
            started[part].wait(60)


def test_a_path_too_long_for_a_socket_is_refused(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dagster_project.__main__ import main

    monkeypatch.setenv("DAGSTER_HOME", str(folders.folder / ("x" * 100)))
    assert main(["serve", "code"]) == 1
    assert "REFUSED a folder whose path is too long for a socket" in capsys.readouterr().out
