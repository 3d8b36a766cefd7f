"""Run the main job and split its CPU time by phase: `python -m benchmarks.phases run`.

The functions of each phase are wrapped; nothing else changes. The time covers all threads of the
process, DuckDB's included. Phases are disjoint: a phase within another is subtracted from the outer
one. An import counts as `imports` wherever it happens. The last line printed is JSON: seconds by
phase, and how many dbt invocations, dbt nodes, gates and Dagster events there were.
"""

import builtins
import functools
import importlib
import json
import resource
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# Phase -> the functions whose time it is, as module:qualified name.
PHASES = {
    "load": ["dagster_project.defs.raw:load_release"],  # and the hash, on a thread beside it
    "gates": [
        "dagster_project.defs.gate_checks:run_suites",
        "dagster_project.defs.gate_checks:check_results",
    ],
    "models and data tests (dbt)": ["dagster_project.defs.dbt_layers:run_dbt"],
    "publication": ["dagster_project.defs.publication:publish"],
    "event log (Dagster)": [
        "dagster._core.storage.event_log.sqlite.sqlite_event_log:SqliteEventLogStorage.store_event"
    ],
    "definitions": [],  # Dagster's, from our modules
}

SLOWEST = 40

_spent: dict[str, float] = defaultdict(float)
_open: list[float] = []
_nodes: dict[str, float] = {}  # dbt node -> seconds of wall time
_counts: dict[str, int] = defaultdict(int)


def cpu_seconds() -> float:
    """CPU time of this process, all threads, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Count the block's CPU time for a phase."""
    began = cpu_seconds()
    _open.append(0.0)
    try:
        yield
    finally:
        whole = cpu_seconds() - began
        _spent[name] += whole - _open.pop()
        if _open:
            _open[-1] += whole


def _count_imports() -> None:
    """Count the CPU time of imports of modules that are not loaded yet, in the main thread."""
    load, load_by_name = builtins.__import__, importlib.import_module

    def timed(name: str, *rest: Any, **more: Any) -> Any:
        if name in sys.modules or not _in_main_thread():
            return load(name, *rest, **more)
        with phase("imports"):
            return load(name, *rest, **more)

    def timed_by_name(name: str, package: str | None = None) -> Any:
        if name in sys.modules or not _in_main_thread():
            return load_by_name(name, package)
        with phase("imports"):
            return load_by_name(name, package)

    vars(builtins)["__import__"], vars(importlib)["import_module"] = timed, timed_by_name


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _wrap(name: str, place: str) -> None:
    module_name, _, path = place.partition(":")
    owner: Any = importlib.import_module(module_name)
    *parents, last = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    function: Callable = getattr(owner, last)

    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        _counts[last] += 1
        with phase(name):
            result = function(*args, **kwargs)
        if last == "run_dbt":
            _counts["dbt nodes"] += len(result)
            _nodes.update({node.node.name: round(node.execution_time, 2) for node in result})
        return result

    setattr(owner, last, timed)


def main() -> int:
    """Run the main job and print the phases."""
    _count_imports()
    from dagster_project.__main__ import main as run

    with phase("definitions"):
        importlib.import_module("dagster_project.definitions")
    for name, places in PHASES.items():
        for place in places:
            _wrap(name, place)
    code = run(sys.argv[1:])
    _spent["everything else"] = cpu_seconds() - sum(_spent.values())
    _spent["all"] = cpu_seconds()
    slowest = sorted(_nodes, key=lambda name: -_nodes[name])[:SLOWEST]
    print("slowest dbt nodes, seconds:", {name: _nodes[name] for name in slowest})
    cpu = {name: round(seconds, 2) for name, seconds in _spent.items()}
    print(json.dumps({"cpu_s": cpu, "counts": dict(_counts)}))
    return code


if __name__ == "__main__":
    sys.exit(main())
