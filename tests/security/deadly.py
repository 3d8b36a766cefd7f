"""Releases that end the process that works with them, as a fault in DuckDB would.

`python -m tests.security.deadly run` is a run in a process of its own. The trap is set by importing
this module; the settings have a class of this module, so the children of the run have it, too.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from dagster_project.base.settings import Settings

PLACES = {
    "load": "dagster_project.ingest.load_release:_load",
    "gate on raw": "dagster_project.gates.release_gate:run_suites",
    "model": "dagster_project.defs.dbt_layers:run_dbt",
    "gate": "dagster_project.defs.gate_checks:_gate",
    "publication": "dagster_project.defs.publication:publish",
}
ORDER = "trap.json"  # in the landing folder


class TrappedSettings(Settings):
    """Settings whose class brings the trap along."""

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Pass on where the landing folder is."""
        super().__setstate__(state)
        os.environ["ROYALTY_LANDING_DIR"] = str(self.landing_dir)


def fault() -> None:
    """Read where no memory is."""
    import ctypes

    ctypes.string_at(0)


ENDS: dict[str, Callable[[], object]] = {
    "abort": os.abort,
    "fault": fault,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "terminate": lambda: os.kill(os.getpid(), signal.SIGTERM),
}


def set_trap(landing: Path, place: str, *releases: str, end: str = "abort", **order: Any) -> None:
    """Have a process end in a place, while it works with one of the releases (<source>/<date>).

    all: only while it works with all of them. about: a text in the call's arguments. once: only the
    first process that gets there.
    """
    order |= {"place": place, "releases": releases, "end": end}
    (landing / ORDER).write_text(json.dumps(order))


def _watch(place: str) -> None:
    module_name, _, name = PLACES[place].partition(":")
    module = import_module(module_name)
    original = getattr(module, name)

    def trap(*args: Any, **options: Any) -> Any:
        path = Settings().landing_dir / ORDER
        order = json.loads(path.read_text()) if path.exists() else {"place": None}
        if order["place"] == place and order.get("about", "") in str(args):
            there = _releases(place, args)
            if (all if order.get("all") else any)(name in there for name in order["releases"]):
                if order.get("once"):
                    path.unlink()
                ENDS[order["end"]]()
        return original(*args, **options)

    setattr(module, name, trap)


def _releases(place: str, args: tuple) -> list[str]:
    """The releases that a call works with."""
    if place == "load":
        return [args[2].name]
    if place == "gate on raw":
        return [f"{args[1][0].table_name[4:].split('__')[0]}/{args[1][0].release_date}"]
    given = (getattr(each, "settings", each) for each in args)
    settings = next(each for each in given if isinstance(each, Settings))
    with duckdb.connect(settings.workbench, read_only=True) as con:
        found = con.execute(
            "select distinct source || '/' || release_date from audit.releases"
            " where status = 'accepted'"
        ).fetchall()
    return [name for (name,) in found]


def main(command: str, *partition: str) -> int:
    """Do what `make run` does, or run a job as the daemon does."""
    from dagster_project.definitions import definitions
    from dagster_project.pipeline import run as pipeline

    settings = TrappedSettings()
    if command == "run":
        with dg.DagsterInstance.ephemeral() as instance:
            return pipeline.run(settings, instance=instance)
    with dg.DagsterInstance.ephemeral() as instance:
        if partition:
            instance.add_dynamic_partitions(command.removeprefix("ingest_"), [*partition])
        result = (
            definitions(settings)
            .resolve_job_def(command)
            .execute_in_process(
                instance=instance,
                partition_key=partition[0] if partition else None,
                raise_on_error=False,
            )
        )
        print("success" if result.success else "failure")
        return 0 if result.success else 1


for _place in PLACES:
    _watch(_place)

if __name__ == "__main__":
    from tests.security.deadly import main as main_of_module  # not of `__main__`: it is pickled

    sys.exit(main_of_module(*sys.argv[1:]))
