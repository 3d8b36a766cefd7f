"""The nodes that a build keeps, and that keeping them does not change the publication."""

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest
from dagster_project.transform.unchanged_nodes import fingerprints, inputs_behind, kept_nodes

from dagster_project.defs.dbt_layers import _LayerBuild, _record_nodes
from dagster_project.pipeline.run import PUBLISHED, publish_again
from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.layers import LAYERS, Layer, layer_nodes, layer_tests
from dagster_project.workbench.builds import nodes_built, start_layer
from dagster_project.workbench.releases import accepted_files
from tests.support import BARE, Outcome, Scenario, Warehouse, built_once, execute

STAGING, INTERMEDIATE, CORE, MARTS = LAYERS
OBSERVATIONS = "model.royalty_flows.stg_worldbank_wdi__observations"
ECONOMIES = "model.royalty_flows.int_economies"
CHECKSUMS = (
    "from audit.checksums where table_name like 'core.%' or table_name like 'marts.%' order by all"
)


@pytest.fixture(scope="session")
def revised(shared: Path, template: Scenario) -> Scenario:
    """One more release of one source, beside the template's."""

    def build(warehouse: Warehouse) -> Outcome:
        bare = BARE.read_text("utf-8").replace("31600000000", "31700000000")
        warehouse.land("worldbank_wdi", "2016-09-01", BARE.name, bare)
        return warehouse.run()

    return built_once(shared / "revised", build, template.warehouse)


def kept(outcome: Outcome, table: str) -> bool:
    """Whether a table is shown as one that was kept."""
    return "kept" in outcome.metadata(table)


def test_only_nodes_built_from_the_new_release_are_built(revised: Scenario) -> None:
    outcome = revised.outcome
    assert outcome.code == PUBLISHED
    assert kept(outcome, "seeds/economies")
    assert kept(outcome, "staging/stg_oecd_wto_batis__observations")
    assert kept(outcome, "intermediate/int_oecd_wto_batis__observations")
    assert not kept(outcome, "staging/stg_worldbank_wdi__observations")
    assert not kept(outcome, "intermediate/int_worldbank_wdi__observations")
    assert not kept(outcome, "intermediate/int_levels_by_release")
    published = [table for table, _, shown in outcome.shown if table.startswith(("core", "marts"))]
    assert len(published) == len(layer_nodes(CORE)) + len(layer_nodes(MARTS))
    assert not any(kept(outcome, table) for table in published)


def test_kept_rows_are_counted_and_their_tests_shown(revised: Scenario, template: Scenario) -> None:
    table = "intermediate/int_oecd_wto_batis__observations"
    rows = revised.outcome.metadata(table)["dagster/row_count"]
    assert rows == template.outcome.metadata(table)["dagster/row_count"] > 0
    first_run = template.warehouse.workbench(
        "select distinct made_by from audit.builds where made_by is not null"
    )
    assert [(revised.outcome.metadata(table)["last run in"],)] == first_run


def test_a_build_with_unchanged_nodes_publishes_the_same_as_a_full_one(
    revised: Scenario, folders: Warehouse
) -> None:
    warehouse = revised.warehouse.copy(folders.folder)
    before = warehouse.published(CHECKSUMS)
    with contextlib.redirect_stdout(io.StringIO()), dg.DagsterInstance.ephemeral() as instance:
        assert publish_again(warehouse.settings, instance) == PUBLISHED
        events = [
            entry.dagster_event
            for run in instance.get_runs()
            for entry in instance.all_logs(run.run_id)
        ]
    made = [
        event.step_materialization_data.materialization.metadata
        for event in events
        if event and event.is_step_materialization
    ]
    assert made
    assert not any("kept" in metadata for metadata in made)
    assert len(before) > 20
    assert warehouse.published(CHECKSUMS) == before


def kept_now(con: duckdb.DuckDBPyConnection, layer: Layer) -> dict[str, str]:
    """The nodes that a build of a layer would keep."""
    return kept_nodes(con, layer, fingerprints(con, layer))


def touched(node: str) -> bool:
    """Whether a node reads a raw table of the World Bank."""
    return any(table.startswith("raw.worldbank_wdi__") for table in inputs_behind(node))


Change = Callable[[duckdb.DuckDBPyConnection], object]


@pytest.fixture
def workbench(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the workbench that the template's run left."""
    with duckdb.connect(warehouse.settings.workbench) as con:
        yield con


def test_unchanged_nodes_of_the_workbench_are_kept_and_none_of_the_candidate(
    workbench: duckdb.DuckDBPyConnection,
) -> None:
    for layer in (STAGING, INTERMEDIATE):
        nodes = layer_nodes(layer) | layer_tests(layer)
        assert kept_now(workbench, layer).keys() == nodes.keys()
    assert kept_now(workbench, CORE) == kept_now(workbench, MARTS) == {}


def test_taking_a_release_out_rebuilds_all_nodes_built_from_it(
    workbench: duckdb.DuckDBPyConnection,
) -> None:
    workbench.execute(
        "update audit.releases set status = 'rejected' where source = 'worldbank_wdi'"
        " and release_date = '2021-09-15'"
    )
    for layer in (STAGING, INTERMEDIATE):
        nodes = layer_nodes(layer) | layer_tests(layer)
        again = nodes.keys() - kept_now(workbench, layer).keys()
        assert again == {node for node in nodes if touched(node)}
        assert 0 < len(again) < len(nodes)


@pytest.mark.parametrize(
    "damage",
    [
        lambda con: con.execute("drop table intermediate.int_economies"),
        lambda con: con.execute(
            "update audit.builds set made_from = null where node = ?", [ECONOMIES]
        ),  # as a run that died in it leaves it
        lambda con: con.execute(
            "update audit.builds set made_from = 'else' where node = ?", [ECONOMIES]
        ),
    ],
    ids=["dropped", "half-built", "made from other files"],
)
def test_a_changed_table_is_built_and_tested_again(
    workbench: duckdb.DuckDBPyConnection, damage: Change
) -> None:
    damage(workbench)
    again = layer_nodes(INTERMEDIATE) | layer_tests(INTERMEDIATE)
    for node in kept_now(workbench, INTERMEDIATE):
        del again[node]
    assert ECONOMIES in again
    tests = again.keys() - {ECONOMIES}
    assert tests
    assert all(ECONOMIES in again[test]["depends_on"]["nodes"] for test in tests)


def test_a_data_test_that_fails_is_run_again_until_it_passes(warehouse: Warehouse) -> None:
    whole_layer = dg.AssetSelection.groups("seeds", "staging")
    with duckdb.connect(warehouse.settings.workbench) as con:
        con.execute("begin")
        con.execute("create table raw.kept as from raw.worldbank_wdi__observations")
        con.execute("insert into raw.worldbank_wdi__observations from raw.kept")
        con.execute("delete from audit.builds where node = ?", [OBSERVATIONS])
        con.execute("commit")
    for _ in range(2):
        assert not succeeds(whole_layer)
        with duckdb.connect(warehouse.settings.workbench) as con:
            failed = (layer_nodes(STAGING) | layer_tests(STAGING)).keys() - kept_now(
                con, STAGING
            ).keys()
        assert failed
        assert all(manifest()["nodes"][node]["resource_type"] == "test" for node in failed)
        assert any("unique" in node for node in failed)
    with duckdb.connect(warehouse.settings.workbench) as con:
        con.execute("create or replace table raw.worldbank_wdi__observations as from raw.kept")
    assert succeeds(whole_layer)


def succeeds(selection: dg.AssetSelection) -> bool:
    """Execute a part of the graph, and say whether all of it succeeded."""
    with dg.DagsterInstance.ephemeral() as instance:
        return execute(selection, instance=instance).success


def test_a_part_of_a_layer_is_built_on_request_and_not_trusted_later(
    warehouse: Warehouse,
) -> None:
    assert succeeds(dg.AssetSelection.assets("intermediate/int_economies"))
    with duckdb.connect(warehouse.settings.workbench) as con:
        trusted = kept_now(con, INTERMEDIATE)
    assert ECONOMIES not in trusted
    assert "model.royalty_flows.int_oecd_wto_batis__observations" in trusted


@pytest.mark.parametrize(("decided_meanwhile", "entered"), [(False, {OBSERVATIONS}), (True, set())])
def test_a_build_with_a_decision_on_a_release_keeps_no_nodes(
    workbench: duckdb.DuckDBPyConnection, decided_meanwhile: bool, entered: set[str]
) -> None:
    workbench.execute("delete from audit.builds")
    start_layer(workbench, "a candidate", "staging", {OBSERVATIONS: None}, "a run", {})
    begun = _LayerBuild("a candidate", accepted_files(workbench), {OBSERVATIONS: "digest"}, {})
    if decided_meanwhile:
        workbench.execute("update audit.releases set status = 'rejected' where source = 'iso_3166'")
    node = SimpleNamespace(unique_id=OBSERVATIONS)
    _record_nodes(workbench, begun, [SimpleNamespace(node=node, status="success")], "a run")
    assert nodes_built(workbench).keys() == entered


def test_each_data_test_belongs_to_one_layer() -> None:
    tests = [test for layer in LAYERS for test in layer_tests(layer)]
    all_tests = {
        unique_id
        for unique_id, node in manifest()["nodes"].items()
        if node["resource_type"] == "test"
    }
    assert len(tests) == len(set(tests))
    assert set(tests) == all_tests


def test_inputs_behind_a_node_are_the_raw_tables_it_reads_through_others() -> None:
    assert inputs_behind("seed.royalty_flows.economies") == ()
    assert inputs_behind(OBSERVATIONS) == ("raw.worldbank_wdi__observations",)
    assert {"raw.iso_3166__countries", "raw.worldbank_wdi__countries"} <= set(
        inputs_behind(ECONOMIES)
    )
    assert "raw.oecd_wto_batis__observations" not in inputs_behind(ECONOMIES)
    assert inputs_behind("model.royalty_flows.dim_release") == ("audit.releases",)
