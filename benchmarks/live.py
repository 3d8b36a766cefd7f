"""The time from the last byte landed to the live publication, with the automation on.

`make dev` runs with its daemon; the sensor `landing` finds the release, a run loads it, another one
builds and publishes. The parts are read from the ticks and runs of the Dagster instance.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import dagster as dg

from benchmarks.measure import python
from dagster_project.base.complete_marker import mark_complete
from dagster_project.base.settings import PUBLISHED_FILE
from dagster_project.fetching.fetch_release import INCOMING

PATIENCE = 900  # seconds


def from_landing_to_live(
    environment: Mapping[str, str], release: Path, *, at: float = 0.5
) -> tuple[float, dict[str, float]]:
    """Land a release; return the seconds until it is live, and what they were spent on.

    release: a complete folder; it is landed as fetchers do, marked and renamed. at: when it lands, as a fraction
    of the time between two evaluations of the sensor.
    """
    home = Path(environment["DAGSTER_HOME"])
    published = Path(environment["ROYALTY_WAREHOUSE_DIR"]) / PUBLISHED_FILE
    target = Path(environment["ROYALTY_LANDING_DIR"]) / release.parent.name / release.name
    incoming = Path(environment["ROYALTY_LANDING_DIR"]) / INCOMING / release.name
    shutil.rmtree(incoming.parent, ignore_errors=True)
    shutil.copytree(release, incoming)
    mark_complete(incoming)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (home / "dev.log").open("wb") as log:
        dev = subprocess.Popen(
            python("dagster_project", "dev", "--port", str(port)),
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            _wait(lambda: len(_ticks(instance)) > 1, dev)
            last, before = _ticks(instance)[-1], _ticks(instance)[-2]
            time.sleep(max(0, last + at * (last - before) - time.time()))
            before_it = published.stat().st_ino
            incoming.rename(target)
            landed = time.time()
            _wait(lambda: published.stat().st_ino != before_it, dev)
            live = time.time()
            _wait(lambda: _is_done(instance, landed), dev)
            return round(live - landed, 1), _parts(instance, landed, live)
    finally:
        os.killpg(dev.pid, signal.SIGINT)
        try:
            dev.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(dev.pid, signal.SIGKILL)
            dev.wait()


def _wait(until: Callable[[], bool], dev: subprocess.Popen) -> None:
    ends = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > ends or dev.poll() is not None:
            raise TimeoutError("not live: see dev.log in DAGSTER_HOME")
        time.sleep(0.1)


def _ticks(instance: dg.DagsterInstance) -> list[float]:
    """Times of the evaluations of the sensor `landing`, oldest first."""
    found = []
    for state in instance.all_instigator_state():
        if state.instigator_name == "landing":
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id)
            found += [t.timestamp for t in ticks if t.status.value != "STARTED"]
    return sorted(found)


def _runs(instance: dg.DagsterInstance, landed: float) -> list[dg.RunRecord]:
    """The runs since then, oldest first: the load, the build."""
    records = instance.get_run_records(limit=10)
    return sorted(
        (record for record in records if record.create_timestamp.timestamp() >= landed),
        key=lambda record: record.create_timestamp,
    )


def _is_done(instance: dg.DagsterInstance, landed: float) -> bool:
    return all(record.dagster_run.is_finished for record in _runs(instance, landed))


def _parts(instance: dg.DagsterInstance, landed: float, live: float) -> dict[str, float]:
    """Seconds of each part, in the order in which they come.

    Until its run is requested (by the sensor), launched (by the daemon's queue), and started (its
    process has imported everything); then the run.
    """
    parts: dict[str, float] = {}
    reached = landed
    for record in _runs(instance, landed):
        kind = record.dagster_run.job_name.split("_")[0]
        events = {
            entry.dagster_event.event_type: entry.timestamp
            for entry in instance.all_logs(record.dagster_run.run_id)
            if entry.dagster_event
        }
        times = {
            "requested": record.create_timestamp.timestamp(),
            "launched": events[dg.DagsterEventType.PIPELINE_STARTING],
            "imported": events[dg.DagsterEventType.PIPELINE_START],
            "run": min(record.end_time or live, live),
        }
        for part, until in times.items():
            parts[f"{kind}: {part}"] = round(until - reached, 1)
            reached = until
    return parts
