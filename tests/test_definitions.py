"""The graph as Dagster knows it, against a snapshot: a change is to be seen in review.

`python -m tests.test_definitions` writes the snapshot anew.
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.definitions import defs
from dagster_project.gates.checks import GATE
from dagster_project.models.assets import LAYERS, layer_tables
from dagster_project.sources import all_sources
from tests.support import FIXTURES

SNAPSHOT = FIXTURES / "definitions.json"


def graph() -> dict[str, Any]:
    """What the snapshot holds: assets by group, gates, jobs with their steps."""
    assets = defs.resolve_asset_graph()
    groups: dict[str, list[str]] = {}
    for key in assets.get_all_asset_keys():
        node = assets.get(key)
        if node.is_materializable:
            groups.setdefault(node.group_name, []).append("/".join(key.path))
    return {
        "assets": {group: sorted(keys) for group, keys in sorted(groups.items())},
        "blocking checks": sorted(
            f"{'/'.join(key.asset_key.path)}:{key.name}"
            for key in assets.asset_check_keys
            if assets.get(key).blocking
        ),
        "jobs": {
            job.name: sorted(node.name for node in job.nodes)
            for job in sorted(defs.resolve_all_job_defs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": sorted(schedule.name for schedule in defs.schedules or []),
        "sensors": sorted(sensor.name for sensor in defs.sensors or []),
    }


def test_the_graph_is_that_of_the_snapshot() -> None:
    assert graph() == json.loads(SNAPSHOT.read_text("utf-8"))


def test_every_table_has_a_blocking_gate() -> None:
    tables = {table for layer in LAYERS for table in layer_tables(layer)}
    tables |= {f"raw.{table.name}" for source in all_sources().values() for table in source.tables}
    blocking = set(graph()["blocking checks"])
    assert {f"{table.replace('.', '/')}:{GATE}" for table in tables} <= blocking


def test_definitions_can_be_loaded_by_dagster() -> None:
    dg.Definitions.validate_loadable(defs)


def test_every_step_that_writes_is_in_the_one_pool() -> None:
    steps = [
        op
        for job in defs.resolve_all_job_defs()
        for op in job.nodes
        if not op.name.startswith("fetch_")  # these write to the landing folder only
    ]
    assert {getattr(step.definition, "pool", None) for step in steps} == {"warehouse"}


def write(path: Path = SNAPSHOT) -> None:
    path.write_text(json.dumps(graph(), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    write()
