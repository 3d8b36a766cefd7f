"""Dagster's daemon is killed, and PostgreSQL under a run; the checks are those of any crash."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dagster_project.__main__ import main
from dagster_project.base.complete_marker import mark_complete
from dagster_project.base.dagster_postgres import VARIABLE
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.fetching.publishers import all_fetchers
from dagster_project.workbench.connection import write_lock
from tests.postgres import Server, missing, postgres
from tests.support import Warehouse, environment
from tests.survival.crash_points import After, Death, Point, RunFailedError, in_child
from tests.survival.crashes import LAYERS, POINTS, Harness

_SECONDS = 900  # until something has happened
_RUNS_SECONDS = 60  # about what the runs of a batch take

# The moments at which the daemon dies, as seen from outside; then by chance.
MOMENTS: dict[str, Callable[[Settings], bool]] = {
    "as a release is loaded": lambda settings: _wal(settings).exists(),
    "as the candidate appears": lambda settings: settings.candidate.exists(),
    "as a publication appears": lambda settings: (
        max(settings.publications.glob("*.duckdb"), default=settings.warehouse).stat().st_ino
        != settings.warehouse.stat().st_ino
    ),
}


def _wal(settings: Settings) -> Path:
    return settings.workbench.with_name(f"{settings.workbench.name}.wal")


def kill_daemons(harness: Harness, times: int) -> None:
    """Kill the daemon, alone or with all that it started, while its sensor brings a warehouse up to
    date.
    """
    for number in range(times):
        # Each second one is killed by chance.
        chosen = None if number % 2 else harness.rng.choice(list(MOMENTS))
        _kill_daemon(harness, chosen, alone=harness.rng.random() < 0.5)
        shutil.rmtree(harness.folder / "daemon")


def _kill_daemon(harness: Harness, chosen: str | None, *, alone: bool) -> None:
    kind = "daemon" if alone else "daemon with its runs"
    moment = f"{kind}, {chosen or 'while runs are under way'}"
    warehouse = harness.start.copy(harness.folder / "daemon")
    for folder in warehouse.landing.glob("*/*"):
        mark_complete(folder)
    before = warehouse.settings.warehouse.stat().st_ino
    with service(warehouse, harness.log) as start:
        code, daemon = start("code"), start("daemon")
        try:
            _wait(MOMENTS[chosen or "as a release is loaded"], warehouse.settings)
            time.sleep(0 if chosen else harness.rng.uniform(0, _RUNS_SECONDS))
            _kill(daemon)
            if not alone:
                _kill(code)
            harness.tally.count(kind, moment, by_chance=not chosen)
            harness.inspect(warehouse, moment)
            if alone:  # the runs go on, and the next daemon starts the others
                start("daemon")
                _wait(lambda found: found.warehouse.stat().st_ino != before, warehouse.settings)
                with write_lock(warehouse.settings, timeout=_SECONDS):
                    pass  # the run has ended
        except TimeoutError as error:
            harness.tally.broken_runs.append(f"{moment}: {error}")
            return
    if alone:
        harness.compare(warehouse, moment)
    else:
        harness.finish(warehouse, moment)


@contextmanager
def service(
    warehouse: Warehouse, log: Path, **variables: str
) -> Iterator[Callable[..., subprocess.Popen]]:
    """The function that starts a part of the service; all of them are killed at the end.

    The sensor is on; what schedules would fetch is not to be had.
    """
    nowhere = dict.fromkeys(all_fetchers(), "http://127.0.0.1:9")
    started = []
    # Its path must be short, for the sake of the code server's socket.
    with tempfile.TemporaryDirectory(prefix="home", dir="/tmp") as home, log.open("a") as output:
        (warehouse.folder / "dagster_home").symlink_to(home)

        def start(part: str, *options: str) -> subprocess.Popen:
            process = subprocess.Popen(
                [sys.executable, "-m", "dagster_project", "serve", part, *options],
                cwd=PROJECT_ROOT,
                env={
                    **os.environ,
                    **warehouse.environment,
                    "DAGSTER_HOME": home,
                    "ROYALTY_AUTOMATION": "true",
                    "ROYALTY_FETCH_BASE_URLS": json.dumps(nowhere),
                    **variables,
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a part and its runs are one process group
            )
            started.append(process)
            return process

        try:
            yield start
        finally:
            for process in started:
                _kill(process)
            (warehouse.folder / "dagster_home").unlink()


def _kill(process: subprocess.Popen) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(until: Callable[[Settings], bool], settings: Settings) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            if until(settings):
                return
        except FileNotFoundError:
            pass  # as one file takes the place of another
        if time.monotonic() > end:
            raise TimeoutError(f"nothing happened for {_SECONDS} s")
        time.sleep(0.01)


def kill_postgres(harness: Harness, times: int) -> None:
    """Kill PostgreSQL, which has Dagster's runs, under one run of the main job after the other.

    Each must end with one message. Then one comes to its end.
    """
    if not times:
        return
    if missing():
        print(f"PostgreSQL was not killed: {missing()}", flush=True)
        return
    with postgres() as server, environment({VARIABLE: server.url}):
        warehouse = harness.start.copy(harness.folder / "postgres")
        for death in itertools.islice(_deaths(harness), times):
            _kill_server(harness, server, warehouse, death)
        harness.finish(warehouse, "deaths of PostgreSQL")
        shutil.rmtree(warehouse.folder)


def _deaths(harness: Harness) -> Iterator[Death]:
    """Deaths in turn at a chosen point and by chance, from the load to the publication."""
    rng, seconds = harness.rng, sum(harness.seconds.values())
    while True:
        for phase in ("load", rng.choice(LAYERS), "publication"):
            point = rng.choice(POINTS[phase])
            in_layer = phase in LAYERS
            yield replace(point, call=LAYERS.index(phase) + 1) if in_layer else point
            yield After(rng.uniform(0, seconds))


def _kill_server(harness: Harness, server: Server, warehouse: Warehouse, death: Death) -> None:
    where = f"PostgreSQL, {death}"
    log, answer = harness.folder / "postgres.txt", harness.folder / "postgres.json"
    log.unlink(missing_ok=True)

    def work() -> None:
        killed = threading.Event()

        def kill() -> None:
            if not killed.is_set():
                killed.set()
                server.kill()

        if isinstance(death, Point):
            death.watch(kill)
        else:
            threading.Thread(target=_after, args=(death.seconds, kill), daemon=True).start()
        code = main(["run"])
        answer.write_text(json.dumps([code, killed.is_set()]))

    try:
        in_child(work, log, warehouse.environment)
    except RunFailedError as error:
        harness.tally.broken_runs.append(f"{where}: {error}")
        return
    code, killed = json.loads(answer.read_text())
    printed = log.read_text("utf-8", "replace")
    if killed:
        by_chance = isinstance(death, After)
        moment = "PostgreSQL, under a run" if by_chance else f"PostgreSQL, {death}"
        harness.tally.count("PostgreSQL under a run", moment, by_chance=by_chance)
        server.start()
    is_clear = "PostgreSQL database cannot be reached" in printed and "Traceback" not in printed
    # A run succeeds if it has stored its last event before.
    if code and not (killed and is_clear):
        harness.tally.broken_runs.append(f"{where}: exit code {code}\n{printed[-3000:]}")
    harness.inspect(warehouse, where)


def _after(seconds: float, act: Callable[[], None]) -> None:
    while time.process_time() < seconds:
        time.sleep(0.005)
    act()
