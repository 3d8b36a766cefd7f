"""Runs are killed again and again, and what each leaves behind is checked.

A harness makes a warehouse with one publication, lands a new and a revised release, and has one
undisturbed run bring it up to date: the reference, which must equal a build of everything. Then it
repeats this in rounds, phase by phase, and kills a run many times in each phase: ingest
runs, incremental and full builds, publications. After each crash the published
file must open, be whole and audited, and be one of the two publications that an undisturbed run
made; and whatever crashed before, the run that ends must equal the reference.

Runs die at a chosen point of the code, or by chance, after a processor time that is drawn from the
phase's own. `crash_series.py` is the command.
"""

import gc
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.gates.run_suites import _context
from dagster_project.maintenance.status import status
from dagster_project.pipeline.run import PUBLISHED, publish_again, run
from dagster_project.publication.comparison import differences
from dagster_project.publication.integrity import integrity_errors
from dagster_project.publication.kept_files import kept_publications
from dagster_project.transform.build_fingerprint import project_fingerprint
from dagster_project.transform.dbt_runner import _parsed
from tests.support import BARE, MADE_UP, TEXT, Warehouse, defs, execute, rows, writable_copy
from tests.survival.crash_points import (
    ENDED,
    After,
    Death,
    Point,
    RunFailedError,
    in_child,
    result_of,
)
from tests.survival.crash_tally import Tally

LAYERS = ("staging", "intermediate", "core", "marts")
PHASES = ("load", *LAYERS, "publication")
FILE = "royalty_flows.duckdb"

_LOAD, _RAW = "dagster_project.ingest.load_release", "dagster_project.defs.raw"
_MODELS, _GATES = "dagster_project.defs.dbt_layers", "dagster_project.defs.gate_checks"
_RELEASE_GATE = "dagster_project.gates.release_gate"
_PUBLISH = "dagster_project.publication.publish"

_IN_A_LAYER = (
    Point(f"{_MODELS}:_start_build"),
    Point(f"{_MODELS}:_start_build", leaving=True),
    Point(f"{_MODELS}:run_dbt", leaving=True),
    Point(f"{_MODELS}:finish_layer"),
    Point(f"{_MODELS}:finish_layer", leaving=True),
    Point(f"{_GATES}:run_suites"),
    Point(f"{_GATES}:run_suites", leaving=True),
    Point(f"{_GATES}:record_gate_results", leaving=True),
)
POINTS: dict[str, tuple[Point, ...]] = {
    "load": (
        Point("dagster_project.pipeline.run:make_plan", leaving=True),
        Point(f"{_RAW}:load_release"),
        Point(f"{_LOAD}:_load_file"),
        Point(f"{_LOAD}:_load_file", leaving=True),
        Point(f"{_LOAD}:record_files", leaving=True),
        Point(f"{_RAW}:load_release", leaving=True),
        Point(f"{_RELEASE_GATE}:run_suites"),
        Point(f"{_RELEASE_GATE}:record_gate_results", leaving=True),
        Point(f"{_RELEASE_GATE}:set_release_status"),
        Point(f"{_RELEASE_GATE}:set_release_status", leaving=True),
        Point("dagster_project.pipeline.run:build_fingerprint"),
    ),
    **dict.fromkeys(LAYERS, _IN_A_LAYER),
    "publication": (
        Point("dagster_project.defs.publication:publish"),
        Point(f"{_PUBLISH}:_complete"),
        Point(f"{_PUBLISH}:_record_checksums"),
        Point(f"{_PUBLISH}:_record_checksums", leaving=True),
        Point("os:fsync"),
        Point(f"{_PUBLISH}:_complete", leaving=True),
        Point(f"{_PUBLISH}:activate"),
        Point("os:link", leaving=True, about=FILE),
        Point("os:replace", about=FILE),
        Point("os:replace", leaving=True, about=FILE),
        Point(f"{_PUBLISH}:reconcile"),
        Point(f"{_PUBLISH}:reconcile", leaving=True),
        Point("dagster_project.defs.publication:publish", leaving=True),
    ),
}
# The end of each phase: where a run is killed to have the next one begin where it left off.
BOUNDARIES = {
    "load": Point("dagster_project.pipeline.run:build_fingerprint"),
    "staging": Point(f"{_MODELS}:_start_build", about="name='intermediate'"),
    "intermediate": Point(f"{_MODELS}:_start_build", about="name='core'"),
    "core": Point(f"{_MODELS}:_start_build", about="name='marts'"),
    "marts": Point("dagster_project.defs.publication:publish"),
}


# What a killed run was doing, by the phase in which it died.
RUNS = {
    "load": "ingest",
    **dict.fromkeys(LAYERS, "incremental build"),
    "publication": "publication",
}


def prepare() -> None:
    """Import and read what every run needs, so that its process, a fork, does not have to."""
    _parsed(), _context(), project_fingerprint()
    for job in defs().resolve_all_job_defs():
        assert job.name
    gc.freeze()


def main_job() -> None:
    """Run the main job, as `make run` does; it must end with everything up to date."""
    code = run(Settings())
    if code != PUBLISHED:
        raise SystemExit(f"the main job ended with code {code}")


def full_build() -> None:
    """Build and publish everything, as `make publish` does."""
    code = publish_again(Settings())
    if code != PUBLISHED:
        raise SystemExit(f"the full build ended with code {code}")


def from_layer(layer: str) -> Callable[[], None]:
    """Return a run of the graph from a layer on, as one would start it in the UI."""
    groups = LAYERS[LAYERS.index(layer) :]

    def work() -> None:
        selection = dg.AssetSelection.groups(*groups, "publication")
        with dg.DagsterInstance.get() as instance:
            result = execute(selection, instance=instance)
        if not result.success:
            raise SystemExit("the run from the UI failed")

    return work


def start_of(phase: str) -> Callable[[], None]:
    """Return the run that does a phase first."""
    return main_job if phase in ("load", "staging", "publication") else from_layer(phase)


def content(warehouse: Warehouse) -> dict[str, list]:
    """What to compare of a warehouse: published tables, and the ledger without times and ids."""
    published, workbench = warehouse.settings.warehouse, warehouse.settings.workbench
    ledger = {
        "releases": "select source, release_date, file_name, sha256, rows_read, rows_kept, status,"
        " reason from audit.releases",
        "gates": "select gate, table_name, arg_max(success, checked_at),"
        " arg_max(expectations, checked_at), arg_max(failed, checked_at) from audit.gate_results"
        " where candidate_id = (select max_by(candidate_id, published_at) from audit.publication)"
        " group by all",
    }
    found = {
        "checksums": tables_of(published),
        "publications": [*map(list, rows(workbench, "select count(*) from audit.publication"))],
    }
    for name, query in ledger.items():
        found[name] = [list(map(str, row)) for row in rows(workbench, f"{query} order by all")]
    for (table,) in rows(
        workbench, "select table_name from duckdb_tables() where schema_name = 'raw' order by all"
    ):
        loaded = f"(select * exclude (_loaded_at) from raw.{table})"
        query = f"select count(*), sum(hash(whole_row))::varchar from {loaded} as whole_row"
        found[f"raw.{table}"] = [list(row) for row in rows(workbench, query)]
    return found


def tables_of(path: Path) -> list[list]:
    """Row counts and checksums of core and marts, which hold no time and no id."""
    query = "from audit.checksums where table_name not like 'audit.%' order by table_name"
    return [list(row) for row in rows(path, query)]


def inspect_warehouse(warehouse: Warehouse) -> dict[str, list]:
    """Return what a client and the person on duty find after a crash."""
    settings = warehouse.settings
    others = [kept for kept in kept_publications(settings) if not kept.samefile(settings.warehouse)]
    unaudited = [
        f"{path.name}: {what}"
        for path in (settings.warehouse, *others)
        for what in integrity_errors(path)
    ]
    lost = []
    if len(others) == len(kept_publications(settings)):
        lost.append("the published file is none of those kept")
    if not any("release" in line for line in status(settings, lambda: "")):
        lost.append("`make status` says nothing of releases")
    tables = [] if unaudited else tables_of(settings.warehouse)
    return {"lost": lost, "unaudited": unaudited, "tables": tables}


class Harness:
    """A folder with a warehouse whose runs are killed, the reference, and the tally."""

    def __init__(
        self, folder: Path, template: Path | None, tally: Tally, save: Callable[[], None]
    ) -> None:
        self.folder, self.tally, self.save = folder, tally, save
        self.rng = random.Random(tally.seeds[-1])
        self.log = folder / "log.txt"
        self.start = Warehouse(folder / "start")
        folder.mkdir(parents=True, exist_ok=True)
        if template:
            Warehouse(template).copy(self.start.folder)
        else:
            for release in ("published_figures/2019-06-30", "worldbank_wdi/2016-03-01"):
                writable_copy(MADE_UP / release, self.start.landing / release)
            self.child(self.start, main_job)
        text = TEXT.read_text().replace("2019-06-30", "2020-02-29")
        text = text.replace(",KOR,", ",FRA,").replace("KR-11", "FR-IDF")
        self.start.land("published_figures", "2020-02-29", TEXT.name, text)
        revised = BARE.read_text("utf-8").replace("1044000000", "1045000000")
        kept = [line for line in revised.splitlines(keepends=True) if "Kosovo" not in line]
        self.start.land("worldbank_wdi", "2016-09-01", "made_up_revised.csv", "".join(kept))
        self.before = self.ask(self.start, tables_of, self.start.settings.warehouse)
        self.seconds = self._reference()

    def child(
        self, warehouse: Warehouse, work: Callable[[], object], death: Death | None = None
    ) -> str:
        """Do some work on a warehouse in a separate process."""
        return in_child(work, self.log, warehouse.environment, death)

    def ask(self, warehouse: Warehouse, question: Callable, *arguments: object) -> Any:
        """Return the result of a function, called in a separate process."""
        return result_of(lambda: question(*arguments), self.log, warehouse.environment)

    def _reference(self) -> dict[str, float]:
        """Run undisturbed; keep the result, and the seconds of processor time per phase."""
        warehouse, marks = self.start.copy(self.folder / "reference"), self.folder / "marks"

        def mark() -> None:
            with marks.open("a") as file:
                file.write(f"{time.process_time()}\n")

        def work() -> None:
            for point in BOUNDARIES.values():
                point.watch(mark)
            main_job()
            mark()

        self.child(warehouse, work)
        times = [0.0, *map(float, marks.read_text().split())]
        self.expected = self.ask(warehouse, content, warehouse)
        self.after = self.expected["checksums"]
        assert self.before != self.after, "the new releases change nothing"
        again = warehouse.copy(self.folder / "again")

        def work_again() -> None:
            full_build()
            mark()

        self.child(again, work_again)
        self.seconds_of_full_build = float(marks.read_text().split()[-1])
        files = (warehouse.settings.warehouse, again.settings.warehouse)
        found = self.ask(again, differences, *files)
        self.tally.differing += [f"built incrementally and completely: {line}" for line in found]
        seconds = {phase: times[n + 1] - times[n] for n, phase in enumerate(PHASES)}
        # A run that only publishes has its own start, which takes about as long as a load.
        seconds["publication"] += seconds["load"]
        return seconds

    def kill(
        self,
        warehouse: Warehouse,
        phase: str,
        death: Death,
        work: Callable[[], None] | None = None,
    ) -> bool:
        """Have a run die, and check the leftovers. Returns False if the run ended before."""
        try:
            ended = self.child(warehouse, work or start_of(phase), death) == ENDED
        except RunFailedError as error:
            self.tally.broken_runs.append(f"{phase}, {death}: {error}")
            return False
        if not ended:
            run = "full build" if work is full_build else RUNS[phase]
            by_chance = isinstance(death, After)
            moment = replace(death, call=1) if isinstance(death, Point) else f"in {phase}"
            self.tally.count(run, moment, by_chance=by_chance)
        self.inspect(warehouse, f"{phase}, {death}")
        return not ended

    def inspect(self, warehouse: Warehouse, where: str) -> None:
        """Check what a crash has left behind, and save the tally."""
        try:
            found = self.ask(warehouse, inspect_warehouse, warehouse)
        except RunFailedError as error:
            found = {"lost": [str(error)], "unaudited": [], "tables": []}
        if found["tables"] not in ([], self.before, self.after):
            found["lost"].append("the published tables are those of no publication")
        self.tally.lost += [f"{where}: {what}" for what in found["lost"]]
        self.tally.unaudited += [f"{where}: {what}" for what in found["unaudited"]]
        self.save()

    def finish(self, warehouse: Warehouse, where: str) -> None:
        """Run the main job to its end, and compare with the reference."""
        try:
            self.child(warehouse, main_job)
        except RunFailedError as error:
            self.tally.broken_runs.append(f"after {where}: {error}")
            return
        self.compare(warehouse, where)

    def compare(self, warehouse: Warehouse, where: str) -> None:
        """Compare a warehouse, whose last run has ended, with the reference."""
        self.inspect(warehouse, f"the run after {where}")
        found = self.ask(warehouse, content, warehouse)
        self.tally.results_compared += 1
        different = [name for name in self.expected if found.get(name) != self.expected[name]]
        if different:
            self.tally.differing.append(f"after {where}: {', '.join(different)}")

    def by_chance(self, phase: str) -> After:
        """A death at some time of a phase."""
        return After(self.rng.uniform(0, self.seconds[phase]), BOUNDARIES.get(phase))

    def some(self, phase: str, chosen: int, by_chance: int) -> Iterator[Death]:
        """Some of a phase's deaths; the points in the order of the code."""
        yield from sorted(self.rng.sample(POINTS[phase], chosen), key=POINTS[phase].index)
        for _ in range(by_chance):
            yield self.by_chance(phase)

    def kill_process(self, warehouse: Warehouse) -> None:
        """Kill `python -m dagster_project run`, with all it started, soon after it has begun."""
        with subprocess.Popen(
            [sys.executable, "-m", "dagster_project", "run"],
            cwd=PROJECT_ROOT,
            env={**os.environ, **warehouse.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            assert process.stdout
            process.stdout.readline()  # it has made its plan
            time.sleep(self.rng.uniform(0, 8))
            os.killpg(process.pid, signal.SIGKILL)
        self.tally.count("process of its own", "in the main job", by_chance=True)
        self.inspect(warehouse, "a process of its own")

    def round(self, chosen: int, by_chance: int, layer: str) -> None:
        """Go from the start to a publication, with runs dying in each phase.

        chosen, by_chance: deaths in each phase but publication, which has one at every point.
        layer: after the deaths in it, a copy is brought up to date by a run from the beginning.
        """
        chained = self.start.copy(self.folder / "chained")
        for phase in PHASES[:-1]:
            for death in self.some(phase, chosen, by_chance):
                self.kill(chained, phase, death)
            if phase == "load":
                self.kill_process(chained)
                self._kill_full_builds(chained, chosen, by_chance)
            elif phase == layer:
                self._finish_copy(chained, f"deaths in {phase}")
            # And one as the next phase begins, which then finds all that it needs.
            if not self.kill(chained, phase, BOUNDARIES[phase]):
                self.tally.broken_runs.append(f"{phase}: {BOUNDARIES[phase]} never came")
                return
        for death in (*POINTS["publication"], *self.some("publication", 0, 3 * by_chance)):
            self._finish_copy(chained, f"publication, {death}", death)
        shutil.rmtree(chained.folder)

    def _kill_full_builds(self, chained: Warehouse, chosen: int, by_chance: int) -> None:
        """Kill builds of everything, in any layer; then the main job brings a copy up to date."""
        copied = chained.copy(self.folder / "full")
        points: list[Death] = [
            replace(self.rng.choice(_IN_A_LAYER), call=self.rng.randint(1, len(LAYERS)))
            for _ in range(chosen)
        ]
        times: list[Death] = [
            After(self.rng.uniform(0, self.seconds_of_full_build), BOUNDARIES["marts"])
            for _ in range(by_chance)
        ]
        for death in points + times:
            self.kill(copied, "a full build", death, full_build)
        self.finish(copied, "deaths in full builds")
        shutil.rmtree(copied.folder)

    def _finish_copy(self, chained: Warehouse, where: str, death: Death | None = None) -> None:
        copied = chained.copy(self.folder / "finished")
        if death:
            self.kill(copied, "publication", death)
            if self.rng.random() < 0.3:  # the run that finishes the publication may die as well
                by_chance = self.rng.random() < 0.5
                point = self.rng.choice(POINTS["publication"])
                again = self.by_chance("publication") if by_chance else point
                self.kill(copied, "publication", again)
        if self.rng.random() < 0.3:  # only the ledger counts
            shutil.rmtree(copied.folder / "dagster_home", ignore_errors=True)
        self.finish(copied, where)
        shutil.rmtree(copied.folder)
