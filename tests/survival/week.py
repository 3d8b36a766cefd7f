"""A week of a service, in simulated time, must not cost more each day: `make test-week`.

`python -m tests.survival.week --days 7 --folder … --results FILE`. Code server, daemon and web
server run as the units start them, and clients read the published file. Three times a day something
happens: schedules of the day fetch from a made-up publisher, texts land, some revised and some bad.
The daemon's sensor loads, builds and publishes; what is older than a day is pruned. Then memory and
open files of each process are measured, and the disk. Exit code 0 if all is flat and no answer was
wrong; the last line is a summary as JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any
from unittest.mock import patch

import dagster as dg

from dagster_project.base.complete_marker import mark_complete
from dagster_project.base.errors import TryLater
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.defs.run_history import old_runs
from dagster_project.fetching.fetch_release import fetch_source
from dagster_project.fetching.publishers import all_fetchers
from dagster_project.ingest.pending_releases import plan_against
from dagster_project.maintenance import prune as pruning
from dagster_project.transform.build_fingerprint import build_fingerprint
from dagster_project.workbench.connection import read_workbench
from dagster_project.workbench.publications import last_publication
from dagster_project.workbench.releases import all_file_entries
from tests.defs.daemon import schedule_of
from tests.defs.test_year import SOURCES, pink_book, ticks, world_bank
from tests.fetching.publisher_server import Publisher, publisher
from tests.pipeline.test_run import text_of
from tests.service.test_processes import asked
from tests.support import MADE_UP, TEXT, Warehouse, defs, environment, writable_copy
from tests.survival.client import MODES
from tests.survival.crash_points import in_child, result_of
from tests.survival.crashes import main_job, prepare
from tests.survival.process_crashes import service
from tests.survival.summary import print_summary

MONDAY = date(2022, 11, 21)  # the season of both publishers' schedules
SHIFTS = 3  # per day
_SECONDS = 1800  # until what has landed is published
_PARTS = ("code", "daemon", "web")
_RUNS = "{ runsOrError { ... on Runs { results { jobName status } } } }"

# Flat: the most in the last third of the week against the most in the middle third; the first is
# for caches to fill. Memory that grows by less than a twentieth in a third of a week takes over a
# month to double. A process that leaks a file does so at each run: one more is too many. A
# publication adds its releases' rows, so the disk grows with the landing folder.
RULE = {"memory": 1.05, "open files": 1.0, "disk": 1.05}


@dataclass
class Week:
    """What was measured after each shift, by kind and name, and what happened."""

    series: dict[str, dict[str, list[int]]] = field(
        default_factory=lambda: {kind: {} for kind in RULE}
    )
    fetched: int = 0
    landed: int = 0
    pruned: int = 0

    def add(self, kind: str, name: str, value: int) -> None:
        """Add a measurement."""
        self.series[kind].setdefault(name, []).append(value)

    def growing(self) -> list[str]:
        """Return a line for each series that is not flat."""
        return [
            f"{kind} of {name}: {middle:,} in the middle third, {last:,} in the last"
            for kind, by_name in self.series.items()
            for name, values in by_name.items()
            for middle, last in [peaks(values)]
            if last > middle * RULE[kind]
        ]


def peaks(values: list[int]) -> tuple[int, int]:
    """Return the most in the middle and in the last third."""
    third = len(values) // 3
    return max(values[-2 * third : -third]), max(values[-third:])


def shifts(days: int) -> Iterable[datetime]:
    """Return the beginnings of the shifts, in UTC."""
    begin = datetime.combine(MONDAY, datetime.min.time(), UTC)
    return [begin + timedelta(hours=24 / SHIFTS * number) for number in range(days * SHIFTS)]


def land(warehouse: Warehouse, number: int) -> None:
    """Land the text of a shift; the third of a day is a revision, of every other day a bad one."""
    release = str(MONDAY - timedelta(days=200 - number))
    day, shift = divmod(number, SHIFTS)
    content = text_of(release, reporter=("FRA", "ITA", "FRA")[shift])
    if shift == SHIFTS - 1:
        content = content.replace(",4.0,", f",{4 + (number + 1) / 100},")
        if day % 2:
            content += content.splitlines()[4] + "\n"  # a figure twice: the gate rejects it
    path = warehouse.land("published_figures", release, TEXT.name, content)
    mark_complete(path.parent)


def serve_editions(server: Publisher, at: datetime) -> None:
    """Serve the publishers' editions: a new one of the World Bank's since Tuesday, of the ONS's
    since Thursday.
    """
    world_bank(server, "2022-11-22" if at.date() > MONDAY else "2021-09-15")()
    pink_book(server, "2022-11-24" if at.date() >= MONDAY + timedelta(days=3) else "2020-10-30")()


def fetch(source: str, at: datetime) -> bool:
    """Evaluate a source's schedule at one of its times; fetch as it asks. Returns whether there was
    a new release.
    """
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance, scheduled_execution_time=at, repository_def=defs().get_repository_def()
        )
        (request,) = schedule_of(source).evaluate_tick(context).run_requests or []
    assert request.asset_selection in (None, [dg.AssetKey(["fetch", source])])
    found = fetch_source(all_fetchers()[source], Settings(), sleep=lambda _: None, clock=lambda: at)
    return found.is_new


def is_settled() -> bool:
    """Return whether all that has landed is loaded, and published or rejected."""
    settings = Settings()
    try:
        with read_workbench(settings) as con:
            entries, published = all_file_entries(con), last_publication(con)
            is_current = published is not None and published[1] == build_fingerprint(con)
    except TryLater:
        return False
    plan = plan_against(entries, settings.landing_dir, limits=settings.release_limits)
    return is_current and not plan.new


def prune_before(before: float) -> int:
    """Remove leftovers from before a time, as the job does after ROYALTY_KEEP_DAYS. Returns how
    many kinds.
    """
    settings = Settings()
    then = datetime.fromtimestamp(before, UTC).replace(tzinfo=None)
    now = then + timedelta(days=settings.keep_days)
    with (
        patch.object(pruning, "_now", lambda: now),
        dg.DagsterInstance.get() as instance,
    ):
        return len(pruning.prune(settings, partial(old_runs, instance)))


def wait_until_settled(log: Path, variables: dict[str, str]) -> None:
    """Wait until the daemon has done what there is to do."""
    until = time.monotonic() + _SECONDS
    while not result_of(is_settled, log, variables):
        if time.monotonic() > until:
            raise TimeoutError(f"what has landed was not published within {_SECONDS} s")
        time.sleep(2)


def measure(week: Week, processes: dict[str, int], folders: dict[str, Path]) -> None:
    """Measure each process and folder. Files that are open for a moment do not count."""
    for name, process in processes.items():
        status = Path(f"/proc/{process}/status").read_text()
        (resident,) = [line.split()[1] for line in status.splitlines() if "VmRSS" in line]
        week.add("memory", name, int(resident) * 1024)
        probes = []
        for _ in range(10):
            probes.append(len(os.listdir(f"/proc/{process}/fd")))
            time.sleep(0.1)
        week.add("open files", name, min(probes))
    for name, folder in folders.items():
        week.add("disk", name, bytes_below(folder))


def bytes_below(folder: Path) -> int:
    """Return the bytes that the files of a folder take; one with several names counts once."""
    found = {}
    for path in folder.rglob("*"):
        try:
            stat = path.lstat()
        except FileNotFoundError:
            continue
        found[stat.st_ino] = stat.st_blocks * 512
    return sum(found.values())


def live(warehouse: Warehouse, days: int, log: Path) -> dict[str, Any]:
    """Go through the week. Returns the summary, with problems."""
    week, stop = Week(), warehouse.folder / "stop"
    reports = [warehouse.folder / f"client-{mode}.json" for mode in MODES]
    with ExitStack() as stack:
        port = free_port()
        start = stack.enter_context(service(warehouse, log))
        server = stack.enter_context(publisher())
        fetching = {
            **warehouse.environment,
            "ROYALTY_FETCH_BASE_URLS": json.dumps(dict.fromkeys(SOURCES, server.url)),
            "NO_PROXY": "127.0.0.1",
        }
        parts = {part: start(part, "--port", str(port)).pid for part in _PARTS}
        clients = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.survival.client", mode),
                    *map(str, (warehouse.settings.warehouse, stop, report)),
                ],
                cwd=PROJECT_ROOT,
            )
            for mode, report in zip(MODES, reports, strict=True)
        ]
        try:
            readers = {f"reader, {mode}": c.pid for mode, c in zip(MODES, clients, strict=True)}
            asked(port, _RUNS)
            wait_until_settled(log, warehouse.environment)
            began = []
            for number, at in enumerate(shifts(days)):
                began.append(time.time())
                serve_editions(server, at)
                for source in SOURCES:
                    for tick in ticks(source):
                        if at <= tick < at + timedelta(hours=24 / SHIFTS):
                            server.asked.clear()
                            week.fetched += result_of(partial(fetch, source, tick), log, fetching)
                land(warehouse, number)
                week.landed += 1
                wait_until_settled(log, warehouse.environment)
                kept = began[max(0, number - SHIFTS)]
                week.pruned += result_of(partial(prune_before, kept), log, warehouse.environment)
                runs = asked(port, _RUNS)["runsOrError"]["results"]
                folders = {
                    "warehouse": warehouse.settings.warehouse_dir,
                    "Dagster's home": (warehouse.folder / "dagster_home").resolve(),
                }
                measure(week, {**parts, **readers}, folders)
                print(f"{at:%A %H:%M}: {len(runs)} runs are kept", flush=True)
        finally:
            stop.touch()
            codes = [client.wait(300) for client in clients]
    answers = [json.loads(report.read_text()) for report in reports]
    return {
        **summary_of(week, days),
        "publications": warehouse.workbench("select count(*) from audit.publication")[0][0],
        "releases": dict(
            warehouse.workbench("select status, count(*) from audit.releases group by all")
        ),
        "answers": sum(report["answers"] for report in answers),
        "problems": [
            *week.growing(),
            *(error for report in answers for error in report["errors"]),
            *(mixed for report in answers for mixed in report["mixed"]),
            *(f"a reader ended with code {code}" for code in codes if code),
        ],
    }


def summary_of(week: Week, days: int) -> dict[str, Any]:
    """What was measured, and whether it is flat."""
    return {
        "days": days,
        "texts landed": week.landed,
        "releases fetched by schedules": week.fetched,
        "kinds of leftovers pruned": week.pruned,
        "rule": "the most in the last third of the week is at most so many times the most in the"
        f" middle third: {json.dumps(RULE)}",
        "series": {
            kind: {
                name: dict(zip(("middle", "last"), peaks(values), strict=True), values=values)
                for name, values in by_name.items()
            }
            for kind, by_name in week.series.items()
        },
    }


def free_port() -> int:
    """Return a port that is free now."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main() -> int:
    """Build a small warehouse, let a service run for a week, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--folder", type=Path, required=True, help="is deleted and created")
    parser.add_argument("--results", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    warehouse, log = Warehouse(options.folder.resolve()), options.folder.resolve() / "log.txt"
    options.folder.mkdir(parents=True)
    began = time.monotonic()
    prepare()
    with environment({"NO_PROXY": "127.0.0.1"}):
        writable_copy(MADE_UP, warehouse.landing)
        in_child(main_job, log, warehouse.environment)
        shutil.rmtree(warehouse.folder / "dagster_home")
        found = live(warehouse, options.days, log)
    return print_summary(found, began, options.results)


if __name__ == "__main__":
    sys.exit(main())
