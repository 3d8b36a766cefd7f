"""Draw histories of a warehouse, and show after each step that it equals one built from nothing.

`python -m tests.survival.histories --histories N --seed S` is `make test-histories`. A history
starts with a warehouse of some made-up releases of all sources and goes on in steps: releases
arrive, are revised, fail, are rejected, accepted or forgotten; publications are rolled back; the
project changes; runs are killed. After each step a copy of the warehouse publishes everything
again, and the last publication is built again from the landing folder in an empty folder. All of
them must be equal (`publication/comparison.py`).

Each step has a seed of its own, so that a failure is replayed, and cut down, with the same steps or
some of them: `--replay 2,5`. With `--landing`, the releases are those of another landing folder.
Exit code 0 if there were no problems; the last line is a summary as JSON.
"""

import argparse
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from dagster_project.base.clock import in_utc, system_clock
from dagster_project.base.errors import BadInput
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.gates import release_gate
from dagster_project.gates.run_suites import run_suites
from dagster_project.ingest.manual_decisions import DECISIONS
from dagster_project.maintenance import prune as pruning
from dagster_project.pipeline.rebuild import rebuild
from dagster_project.pipeline.run import FAILED, publish_again, run
from dagster_project.pipeline.verification import verify_by_rebuild
from dagster_project.publication.comparison import differences
from dagster_project.publication.integrity import integrity_errors
from dagster_project.publication.rollback import roll_back
from dagster_project.workbench.connection import open_workbench, write_lock
from tests.defs.test_set_aside import FAULTS, permissive
from tests.pipeline.test_run import text_of
from tests.support import BARE, BULK, MADE_UP, TEXT, Warehouse, rows, writable_copy
from tests.survival.crash_points import (
    KILLED,
    After,
    Death,
    RunFailedError,
    in_child,
    result_of,
)
from tests.survival.crashes import POINTS, prepare
from tests.survival.revisions import Base, applicable, bases, land, some_day

# ---- what a child does, in a process of its own; arguments and results are those of JSON ----


def do_run(reload: list[str], suites: str | None = None) -> int:
    """The main job; with other suites for raw tables."""
    gate = partial(run_suites, root=Path(suites)) if suites else run_suites
    with patch.object(release_gate, "run_suites", gate):
        return run(Settings(), reload)


def do_publish_again() -> int:
    """Build everything again, and publish."""
    return publish_again(Settings(downloads=False))


def do_compare(one: str, other: str) -> list[str]:
    """What differs between two publications, and what is wrong with the first."""
    return differences(Path(one), Path(other)) + integrity_errors(Path(one))


def do_verify() -> list[str]:
    """What differs from a publication built from nothing."""
    return verify_by_rebuild(Settings())


def do_decide(decision: str, release: str) -> str:
    """A manual decision. Returns why it was refused, if it was."""
    settings = Settings()
    with write_lock(settings), open_workbench(settings) as con:
        try:
            DECISIONS[decision](con, release, "made up")
        except BadInput as problem:
            return str(problem)
    return ""


def do_rollback() -> str:
    """Roll back. Returns why it was refused, if it was."""
    settings = Settings()
    with write_lock(settings):
        try:
            roll_back(settings)
        except BadInput as problem:
            return str(problem)
    return ""


def do_prune() -> list[str]:
    """Prune, as if much later: nothing is too young."""
    later = in_utc(system_clock) + timedelta(days=1000)
    with patch.object(pruning, "_now", lambda: later):
        return pruning.prune(Settings(), lambda before: [])


def do_rebuild() -> int:
    """Rebuild the workbench. It is refused, and nothing changes, if a release would be lost."""
    try:
        return rebuild(Settings())
    except BadInput:
        return 0


def do_releases() -> list[list[str]]:
    """Source, date and status of every release in the ledger."""
    query = "select distinct source, release_date::varchar, status from audit.releases order by all"
    return [list(row) for row in rows(Settings().workbench, query)]


# ---- a history ----

PROJECT = ("dagster_project", "dbt", "expectations", "tests")
# Changes of the project: files, a pattern in each, and what replaces it once or on every line.
# Everything may mean something else afterwards.
PROJECT_CHANGES: dict[str, list[tuple[str, str, str]]] = {
    "a code map": [
        ("dbt/seeds/economy_code_map.csv", "worldbank_wdi,KSV,XKX", "worldbank_wdi,KSV,SRB")
    ],
    "a precedence": [("dbt/seeds/sources.csv", ",27,", ",29,")],
    "a column of a seed": [
        ("dbt/seeds/affiliations.csv", r"(?m)^(?!affiliation_code)(.+)$", r"\1,"),
        ("dbt/seeds/affiliations.csv", r"(?m)^(affiliation_code.*)$", r"\1,made_up"),
        (
            "dbt/seeds/_seeds.yml",
            "( +)(- {name: affiliation_name, description: Name in English.}\n)",
            r"\1\2\1- {name: made_up, description: Made up.}\n",
        ),
    ],
    "a description": [
        ("dbt/models/docs/columns.md", "The economy that reports", "The one that reports")
    ],
    "a macro": [
        ("dbt/macros/table_macros/royalty_flows_as_of_body.sql", "  source,", "  source desc,")
    ],
}


@dataclass(frozen=True)
class Step:
    """A step of a history; everything else follows from its seed and the state before."""

    kind: str
    seed: int

    def __str__(self) -> str:
        return f"{self.kind} ({self.seed})"


@dataclass
class Tally:
    """What was done, and the problems found."""

    kinds: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    compared: int = 0
    from_nothing: int = 0
    rejections: int = 0
    problems: list[str] = field(default_factory=list)


class History:
    """A warehouse, and what happens to it."""

    def __init__(self, folder: Path, releases: list[Base], tally: Tally) -> None:
        self.folder, self.releases, self.tally = folder, releases, tally
        self.warehouse = Warehouse(folder / "history")
        self.log = folder / "log.txt"
        self.project = PROJECT_ROOT
        self.said: list[str] = []
        self.suites: str | None = None
        self.changes: set[str] = set()

    # -- processes --

    def ask(self, work: Callable[..., Any], *arguments: object, at: Warehouse | None = None) -> Any:
        """Return what a function of this module returns, in a process of its own."""
        variables = (at or self.warehouse).environment
        if self.project == PROJECT_ROOT:
            return result_of(lambda: work(*arguments), self.log, variables)
        answer = self.folder / "answer.json"
        with self.log.open("a") as log:
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "tests.survival.histories", "--folder", str(answer)),
                    *("--do", json.dumps([work.__name__, *arguments])),
                ],
                cwd=self.project,
                env={**os.environ, **variables, "PYTHONPATH": str(self.project)},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise RunFailedError(self.log.read_text("utf-8", "replace")[-3000:])
        return json.loads(answer.read_text())

    def start(self, rng: random.Random, template: Path | None) -> None:
        """Make a publication of some releases, or copy one."""
        if template:
            Warehouse(template).copy(self.warehouse.folder)
            return
        chosen = rng.sample(self.releases, k=2 * len(self.releases) // 3)
        for base in chosen:
            self._land(base, base.day, [], rng)
        if self.ask(do_run, []) == FAILED:
            raise RunFailedError(self.log.read_text("utf-8", "replace")[-3000:])

    # -- steps: each prepares something, and returns the names of releases to load again --

    def step(self, step: Step) -> list[str]:
        """Do a step, run the main job to its end, and compare. Returns the problems."""
        rng = random.Random(step.seed)
        self.said, self.suites = [], None
        self.tally.kinds[step.kind] += 1
        reload = KINDS[step.kind][1](self, rng)
        death: Death | None = None
        if rng.random() < 0.3:
            point = rng.choice([point for phase in POINTS.values() for point in phase])
            death = point if rng.random() < 0.5 else After(rng.uniform(0, 20))
        problems = self._run(reload, death)
        return problems or self._compare()

    def _run(self, reload: list[str], death: Death | None) -> list[str]:
        if death and self.project == PROJECT_ROOT:
            work = partial(do_run, reload, self.suites)
            if in_child(work, self.log, self.warehouse.environment, death) == KILLED:
                self.said.append(f"killed {death}")
                self.tally.kills += 1
        code = self.ask(do_run, reload, self.suites)
        self.tally.rejections += code == 2
        return ["the main job published nothing"] if code == FAILED else []

    def _compare(self) -> list[str]:
        again = self.warehouse.copy(self.folder / "again")
        if self.ask(do_publish_again, at=again) == FAILED:
            problems = ["the copy published nothing"]
        else:
            files = (self.warehouse.settings.warehouse, again.settings.warehouse)
            problems = self.ask(do_compare, *map(str, files))
        shutil.rmtree(again.folder)
        self.tally.compared += 1
        return problems

    def compare_with_nothing(self) -> list[str]:
        """Build the publication again from nothing, and compare."""
        self.tally.from_nothing += 1
        return self.ask(do_verify)

    def _land(self, base: Base, day: date, chosen: list, rng: random.Random) -> str:
        land(self.warehouse.landing, base, day, chosen, rng)
        name = f"{base.source}/{day}"
        self.said.append(f"{name}: {', '.join(each.what for _, each in chosen) or 'as it is'}")
        return name

    def _revisions(self, base: Base, rng: random.Random) -> list:
        possible = applicable(base)
        return rng.sample(possible, k=min(len(possible), rng.randrange(1, 4)))

    def releases_that_arrive(self, rng: random.Random) -> list[str]:
        """New releases of one to three sources, most of them revised."""
        for base in rng.sample(self.releases, k=rng.randrange(1, 4)):
            chosen = self._revisions(base, rng) if rng.random() < 0.85 else []
            self._land(base, some_day(rng, base), chosen, rng)
        return []

    def releases_with_other_bytes(self, rng: random.Random) -> list[str]:
        """A current release gets another content under the same date, and is loaded again."""
        current = {
            (source, day) for source, day, status in self.ask(do_releases) if status == "accepted"
        }
        landed = [
            base
            for base in self.releases
            if (base.source, str(base.day)) in current and applicable(base)
        ]
        if not landed:
            return self.releases_that_arrive(rng)
        base = rng.choice(landed)
        return [self._land(base, base.day, self._revisions(base, rng), rng)]

    def the_same_bytes_again(self, rng: random.Random) -> list[str]:
        """A release's files are copied once more; half of the time a person has it loaded again."""
        folder = rng.choice(sorted(self.warehouse.landing.glob("*/*")))
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes())
        name = f"{folder.parent.name}/{folder.name}"
        self.said.append(f"{name}: the same bytes")
        return [name] if rng.random() < 0.5 else []

    def _decide(self, rng: random.Random, decision: str, *statuses: str) -> tuple[str, str] | None:
        releases = self.ask(do_releases)
        current = [source for source, _, status in releases if status == "accepted"]
        known = [
            (source, day)
            for source, day, status in releases
            if status in statuses
            # Without a list of countries nothing passes the gates.
            and not (source == "iso_3166" and status == "accepted" and current.count(source) == 1)
        ]
        if not known:
            return None
        source, day = rng.choice(known)
        refused = self.ask(do_decide, decision, f"{source}/{day}")
        self.said.append(f"{decision} {source}/{day} {refused and 'refused'}")
        return None if refused else (source, day)

    def a_rejection(self, rng: random.Random) -> list[str]:
        """A person rejects a current release."""
        self._decide(rng, "reject", "accepted")
        return []

    def an_acceptance(self, rng: random.Random) -> list[str]:
        """A person accepts a rejected release; if there is none, rejects one."""
        if not self._decide(rng, "accept", "rejected"):
            self._decide(rng, "reject", "accepted")
        return []

    def a_release_forgotten(self, rng: random.Random) -> list[str]:
        """A release is forgotten; mostly its files are removed, otherwise it is loaded again."""
        forgotten = self._decide(rng, "forget", "accepted", "rejected")
        if forgotten and rng.random() < 0.7:
            shutil.rmtree(self.warehouse.landing.joinpath(*forgotten), ignore_errors=True)
        return []

    def a_rollback(self, rng: random.Random) -> list[str]:
        """An earlier publication goes live, and then a release arrives."""
        self.said.append(f"rollback {self.ask(do_rollback) and 'refused'}")
        return self.releases_that_arrive(rng)

    def a_pruning(self, rng: random.Random) -> list[str]:
        """Leftovers are removed, and then a release arrives."""
        self.said += self.ask(do_prune)
        return self.releases_that_arrive(rng)

    def a_rebuild(self, rng: random.Random) -> list[str]:
        """The workbench is made again from the landing folder."""
        self.said.append(f"rebuild: {self.ask(do_rebuild)}")
        return []

    def a_release_that_its_gate_rejects(self, rng: random.Random) -> list[str]:
        """A bad release, with a good one."""
        lines = (BULK if rng.random() < 0.5 else BARE).read_text("utf-8").splitlines(keepends=True)
        day = f"2022-01-{rng.randrange(1, 29):02}"
        self.warehouse.land(
            "worldbank_wdi", day, "made_up_few.csv", "".join(lines[: len(lines) // 3])
        )
        self.said.append(f"worldbank_wdi/{day}: too few rows")
        return self.releases_that_arrive(rng)

    def a_release_that_cannot_be_built(self, rng: random.Random) -> list[str]:
        """A release with a fault that only a later layer finds, with a good one."""
        root = self.folder / "suites"
        self.suites = str(root if root.exists() else permissive(root))
        old, new = rng.choice(list(FAULTS.values()))
        day = f"2020-03-{rng.randrange(1, 29):02}"
        content = text_of(day, reporter=rng.choice(["FRA", "ITA"]), old=old, new=new)
        self.warehouse.land("published_figures", day, TEXT.name, content)
        self.said.append(f"published_figures/{day}: {new}")
        return self.releases_that_arrive(rng)

    def a_change_of_the_project(self, rng: random.Random) -> list[str]:
        """A code map, a seed, a description or a macro changes: everything is built again."""
        if len(self.changes) == len(PROJECT_CHANGES):
            return self.releases_that_arrive(rng)
        if self.project == PROJECT_ROOT:
            self.project = self.folder / "project"
            left_out = shutil.ignore_patterns("target", "logs", "__pycache__")
            for name in PROJECT:
                writable_copy(PROJECT_ROOT / name, self.project / name, ignore=left_out)
        what = rng.choice(sorted(PROJECT_CHANGES.keys() - self.changes))
        self.changes.add(what)
        for name, old, new in PROJECT_CHANGES[what]:
            path = self.project / name
            path.write_text(re.sub(old, new, path.read_text("utf-8")), "utf-8")
        self.said.append(what)
        return []


# Name -> how often, and the method.
KINDS: dict[str, tuple[int, Callable[[History, random.Random], list[str]]]] = {
    "releases arrive": (8, History.releases_that_arrive),
    "other bytes under the same date": (3, History.releases_with_other_bytes),
    "the same bytes again": (1, History.the_same_bytes_again),
    "reject": (2, History.a_rejection),
    "accept": (2, History.an_acceptance),
    "forget": (2, History.a_release_forgotten),
    "roll back": (2, History.a_rollback),
    "prune": (1, History.a_pruning),
    "rebuild": (1, History.a_rebuild),
    "a gate rejects": (2, History.a_release_that_its_gate_rejects),
    "a build fails": (2, History.a_release_that_cannot_be_built),
    "the project changes": (1, History.a_change_of_the_project),
}


def drawn(seed: int, steps: int) -> list[Step]:
    """The steps of a history."""
    rng = random.Random(seed)
    weights = [weight for weight, _ in KINDS.values()]
    return [Step(rng.choices(list(KINDS), weights)[0], rng.randrange(10**6)) for _ in range(steps)]


def live(seed: int, steps: list[Step], history: History, template: Path | None) -> None:
    """Go through a history until it ends or goes wrong."""
    tally, where = history.tally, f"history {seed}"
    try:
        history.start(random.Random(seed), template)
        for number, step in enumerate(steps):
            where = f"history {seed}, step {number}, {step}"
            problems = history.step(step)
            print(f"{where}: {'; '.join(history.said)}", flush=True)
            if problems:
                tally.problems += [f"{where}: {problem}" for problem in problems]
                return
        where = f"history {seed}, built from nothing"
        tally.problems += [f"{where}: {problem}" for problem in history.compare_with_nothing()]
    except RunFailedError as error:
        tally.problems.append(f"{where}: {'; '.join(history.said)}: {error}")


def main() -> int:
    """Live through histories; print the problems and the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10)
    parser.add_argument("--steps", type=int, default=8, help="steps per history")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first history")
    parser.add_argument("--replay", help="only these steps, by number: 0,3,5")
    parser.add_argument("--folder", type=Path, required=True, help="is deleted and created")
    parser.add_argument("--template", type=Path, help="a test folder with one publication")
    parser.add_argument("--landing", type=Path, default=MADE_UP, help="releases to draw from")
    parser.add_argument("--results", type=Path, help="a file for the summary")
    parser.add_argument("--do", help=argparse.SUPPRESS)  # one function, in a copy of the project
    options = parser.parse_args()
    if options.do:
        name, *arguments = json.loads(options.do)
        options.folder.write_text(json.dumps(globals()[name](*arguments)))
        return 0
    prepare()
    tally, began = Tally(), time.monotonic()
    seeds = list(range(options.seed, options.seed + options.histories))
    for seed in seeds:
        shutil.rmtree(options.folder, ignore_errors=True)
        options.folder.mkdir(parents=True)
        steps = drawn(seed, options.steps)
        if options.replay:
            steps = [steps[int(number)] for number in options.replay.split(",")]
        live(seed, steps, History(options.folder, bases(options.landing), tally), options.template)
        if tally.problems:
            break
    for problem in tally.problems:
        print(problem)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = {
        "seeds": seeds,
        "landing": "made up" if options.landing == MADE_UP else "the publishers' files",
        "histories": len(seeds),
        "steps": tally.kinds.total(),
        "by kind": dict(tally.kinds),
        "runs killed": tally.kills,
        "runs with rejections": tally.rejections,
        "compared with a full refresh": tally.compared,
        "compared with nothing": tally.from_nothing,
        "problems": len(tally.problems),
        "duckdb": duckdb.__version__,
        "seconds": round(time.monotonic() - began),
        "seconds on the processor": round(used.ru_utime + used.ru_stime),
    }
    if options.results:
        options.results.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(summary))
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
