"""The graph as Dagster knows it, against a snapshot: a change shows in review.

`python -m tests.test_definitions` rewrites the snapshot. What a source brings by itself (its raw
tables, its own models, its jobs, sensors and schedules) is not in the snapshot: it is tested
against the registry.
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.defs.gate_checks import GATE
from dagster_project.defs.raw import landing_key, raw_key
from dagster_project.fetching.publishers import all_fetchers
from dagster_project.sources import all_sources
from dagster_project.transform.layers import LAYERS, layer_tables
from tests.support import FIXTURES, defs

SNAPSHOT = FIXTURES / "definitions.json"
SOURCES = all_sources()


def graph() -> dict[str, Any]:
    """What the snapshot holds: assets by group, gates, jobs with their steps."""
    assets = defs().resolve_asset_graph()
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
            for job in sorted(defs().resolve_all_job_defs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": sorted(schedule.name for schedule in defs().schedules or []),
        "sensors": sorted(sensor.name for sensor in defs().sensors or []),
    }


def of_a_source(name: str) -> bool:
    """Whether an asset, a check or a job is one that a source brings."""
    layer, _, table = name.partition("/")
    prefixes = {"raw": "", "staging": "stg_", "intermediate": "int_"}
    if layer in prefixes:
        return table.removeprefix(prefixes[layer]).startswith(tuple(f"{s}__" for s in SOURCES))
    return name in {f"{verb}{s}" for s in SOURCES for verb in ("fetch/", "fetch_", "ingest_")}


def without_sources(part: Any) -> Any:
    """A part of the graph without what the sources bring."""
    if isinstance(part, dict):
        return {key: without_sources(value) for key, value in part.items() if not of_a_source(key)}
    return [name for name in part if not of_a_source(name)]


def test_the_graph_is_that_of_the_snapshot() -> None:
    assert without_sources(graph()) == json.loads(SNAPSHOT.read_text("utf-8"))


def test_each_source_brings_its_tables_and_a_job_that_loads_then_gates() -> None:
    found = graph()
    assert found["assets"]["raw"] == sorted(
        f"raw/{table.name}" for source in SOURCES.values() for table in source.tables
    )
    assert found["assets"]["fetch"] == sorted(f"fetch/{name}" for name in all_fetchers())
    assert found["jobs"]["fetch"] == sorted(f"fetch_{name}" for name in all_fetchers())
    assert {name: steps for name, steps in found["jobs"].items() if of_a_source(name)} == {
        f"ingest_{name}": [f"gate_{name}", f"load_{name}"] for name in SOURCES
    }


def test_the_lineage_of_a_raw_table_begins_with_its_fetch_if_there_is_one() -> None:
    assets = defs().resolve_asset_graph()
    for name, source in SOURCES.items():
        fetch = {dg.AssetKey(["fetch", name])} if name in all_fetchers() else set()
        assert assets.get(landing_key(name)).parent_keys == fetch
        assert assets.get(landing_key(name)).is_external  # else a load asks for a fetch
        for table in source.tables:
            assert assets.get(raw_key(table)).parent_keys == {landing_key(name)}
    publication = assets.get(dg.AssetKey("publication"))
    fetched = {dg.AssetKey(["fetch", name]) for name in all_fetchers()}
    assert fetched <= dg.AssetSelection.assets(publication.key).upstream().resolve(assets)


def test_each_source_has_its_staging_models_and_each_model_its_source() -> None:
    staging = graph()["assets"]["staging"]
    assert all(of_a_source(name) for name in staging)
    for name in SOURCES:
        assert any(asset.startswith(f"staging/stg_{name}__") for asset in staging)


def test_every_table_has_a_blocking_gate() -> None:
    tables = {table for layer in LAYERS for table in layer_tables(layer)}
    tables |= {f"raw.{table.name}" for source in SOURCES.values() for table in source.tables}
    blocking = set(graph()["blocking checks"])
    assert {f"{table.replace('.', '/')}:{GATE}" for table in tables} <= blocking


def test_definitions_can_be_loaded_by_dagster() -> None:
    dg.Definitions.validate_loadable(defs())


def test_every_step_that_writes_is_in_the_one_pool() -> None:
    steps = [
        op
        for job in defs().resolve_all_job_defs()
        for op in job.nodes
        # These write to the landing folder only, or to a temporary one.
        if not op.name.startswith(("fetch_", "build_again_and_compare"))
    ]
    assert {getattr(step.definition, "pool", None) for step in steps} == {"warehouse"}


def write(path: Path = SNAPSHOT) -> None:
    path.write_text(json.dumps(without_sources(graph()), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    write()
