"""The nodes that a build keeps, and that keeping them does not change the publication."""

import contextlib
import io
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dagster as dg
import duckdb
import pytest

from dagster_project.defs.dbt_layers import _LayerBuild, _record_states
from dagster_project.defs.resources import Workbench
from dagster_project.pipeline.run import PUBLISHED, publish_again
from dagster_project.publication.exports import partition_orders
from dagster_project.transform import changes
from dagster_project.transform.changes import (
    Known,
    LayerPlan,
    Partition,
    gate_inputs,
    raw_contents,
    raw_tables_behind,
    read_tables,
)
from dagster_project.transform.contents import Contents, part_names
from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.layers import LAYERS, Layer, layer_nodes, layer_tests, table_name
from dagster_project.workbench.builds import NodeState, node_states, start_layer
from dagster_project.workbench.releases import accepted_files
from tests.support import BARE, Outcome, Scenario, Warehouse, built_once, execute

STAGING, INTERMEDIATE, CORE, MARTS = LAYERS
OBSERVATIONS = "model.royalty_flows.stg_worldbank_wdi__observations"
ECONOMIES = "model.royalty_flows.int_economies"
VIEWS = {
    node
    for layer in LAYERS
    for node, found in layer_nodes(layer).items()
    if found["config"]["materialized"] == "view"
}
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
    assert kept(outcome, "staging/stg_worldbank_wdi__observations")  # a view
    assert not kept(outcome, "intermediate/int_worldbank_wdi__observations")
    assert not kept(outcome, "intermediate/int_levels_by_release")
    assert not kept(outcome, "core/fct_royalty_observations")
    assert not kept(outcome, "core/fct_royalty_flows")
    assert not kept(outcome, "marts/mart_revisions")
    assert kept(outcome, "core/dim_sector")
    # An older release than the current one: the flows are built again, and are the same.
    assert kept(outcome, "marts/flows_by_country")


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


def test_downloads_have_the_order_of_the_models_after_partitions_were_replaced(
    revised: Scenario,
) -> None:
    assert partition_orders().keys() >= {"core.fct_royalty_flows", "marts.mart_coverage"}
    folder = revised.warehouse.settings.exports / "current"
    with duckdb.connect() as con:
        for table, order in partition_orders().items():
            file = f"'{folder / table}.parquet'"
            assert (
                con.sql(f"from {file}").fetchall()
                == con.sql(f"from {file} order by {order}").fetchall()
            ), table


def kept_now(con: duckdb.DuckDBPyConnection, layer: Layer) -> dict[str, str]:
    """The nodes that a build of a layer of the workbench would keep, if those before it are."""
    names = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " union all select schema_name || '.' || view_name from duckdb_views()"
    ).fetchall()
    states = node_states(con)
    held = {node: state.contents for node, state in states.items() if state.contents is not None}
    plan = LayerPlan(layer, states, raw_contents(con) | held, {name for (name,) in names})
    plan.next_nodes()
    return plan.kept


def touched(node: str) -> bool:
    """Whether a node reads a raw table of the World Bank directly, or through a view."""
    return any(".raw.worldbank_wdi__" in table for table in read_tables(node))


Change = Callable[[duckdb.DuckDBPyConnection], object]


@pytest.fixture
def workbench(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the workbench that the template's run left."""
    with duckdb.connect(warehouse.settings.workbench) as con:
        yield con


def test_unchanged_nodes_of_the_workbench_are_kept(workbench: duckdb.DuckDBPyConnection) -> None:
    for layer in (STAGING, INTERMEDIATE):
        nodes = layer_nodes(layer) | layer_tests(layer)
        assert kept_now(workbench, layer).keys() == nodes.keys()


def test_taking_a_release_out_rebuilds_what_reads_it_and_waits_with_the_rest(
    workbench: duckdb.DuckDBPyConnection,
) -> None:
    workbench.execute(
        "update audit.releases set status = 'rejected' where source = 'worldbank_wdi'"
        " and release_date = '2021-09-15'"
    )
    nodes = layer_nodes(STAGING) | layer_tests(STAGING)
    again = nodes.keys() - kept_now(workbench, STAGING).keys()
    views = {node for node in nodes if node in layer_nodes(STAGING)}
    assert again == {node for node in nodes.keys() - views if touched(node)}
    nodes = layer_nodes(INTERMEDIATE) | layer_tests(INTERMEDIATE)
    again = nodes.keys() - kept_now(workbench, INTERMEDIATE).keys()
    assert {node for node in nodes if touched(node) and node not in VIEWS} <= again
    assert ECONOMIES in again  # it reads a table that may change
    assert "model.royalty_flows.int_exchange_rates" not in again


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
    assert "model.royalty_flows.int_exchange_rates" not in again
    tests = [node for node in again if node.startswith("test.")]
    assert any(ECONOMIES in again[test]["depends_on"]["nodes"] for test in tests)


def test_a_data_test_that_fails_is_run_again_until_it_passes(warehouse: Warehouse) -> None:
    whole_layer = dg.AssetSelection.groups("seeds", "staging")
    with duckdb.connect(warehouse.settings.workbench) as con:
        con.execute("begin")
        con.execute("create table raw.kept as from raw.worldbank_wdi__observations")
        con.execute("insert into raw.worldbank_wdi__observations from raw.kept")
        con.execute("delete from audit.builds where layer = 'staging'")
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
    assert "model.royalty_flows.int_exchange_rates" in trusted


@pytest.mark.parametrize(("decided_meanwhile", "entered"), [(False, {OBSERVATIONS}), (True, set())])
def test_a_build_with_a_decision_on_a_release_keeps_no_nodes(
    warehouse: Warehouse, decided_meanwhile: bool, entered: set[str]
) -> None:
    with duckdb.connect(warehouse.settings.workbench) as con:
        plan = LayerPlan(STAGING, {}, raw_contents(con), set())
        plan.next_nodes()
        plan.settle(con, [OBSERVATIONS], "a run")
        con.execute("delete from audit.builds")
        start_layer(con, "a candidate", "staging", {OBSERVATIONS: None}, "a run")
        begun = _LayerBuild("a candidate", accepted_files(con), plan)
        if decided_meanwhile:
            con.execute("update audit.releases set status = 'rejected' where source = 'iso_3166'")
        opened = SimpleNamespace(get_connection=lambda: nullcontext(con))
        _record_states(cast(Workbench, opened), begun, plan, "a run")
        assert node_states(con).keys() == entered


def test_each_data_test_belongs_to_one_layer() -> None:
    tests = [test for layer in LAYERS for test in layer_tests(layer)]
    all_tests = {
        unique_id
        for unique_id, node in manifest()["nodes"].items()
        if node["resource_type"] == "test"
    }
    assert len(tests) == len(set(tests))
    assert set(tests) == all_tests


def test_a_node_reads_tables_also_through_views_and_queries_within_it() -> None:
    assert raw_tables_behind("seed.royalty_flows.economies") == ()
    assert "raw.worldbank_wdi__observations" in raw_tables_behind(OBSERVATIONS)
    assert {"raw.iso_3166__countries", "raw.worldbank_wdi__countries"} <= set(
        raw_tables_behind(ECONOMIES)
    )
    assert "raw.oecd_wto_batis__observations" not in raw_tables_behind(ECONOMIES)
    assert read_tables("model.royalty_flows.dim_release")[-1].endswith("audit.releases")
    observations = "model.royalty_flows.int_worldbank_wdi__observations"
    assert observations in read_tables("model.royalty_flows.fct_royalty_observations")
    assert OBSERVATIONS not in read_tables(observations)  # a view: what it reads counts
    assert any(
        table.endswith("raw.worldbank_wdi__observations") for table in read_tables(observations)
    )
    flows = "model.royalty_flows.fct_royalty_flows"
    assert flows in read_tables("model.royalty_flows.mart_mirror_asymmetry")


# What a mart waits for


FLOWS = "model.royalty_flows.fct_royalty_flows"
BY_PARTNER = "model.royalty_flows.flows_by_partner"
BY_COUNTRY = "model.royalty_flows.flows_by_country"
COVERAGE = "model.royalty_flows.mart_coverage"
COUNTED = "model.royalty_flows.fct_royalty_observations"


def plan_of_marts(before: Known, now: Known) -> LayerPlan:
    """A plan whose marts were built from `before`, where other inputs hold one row."""
    others = {
        table: {"": "1:1"}
        for node in layer_nodes(MARTS)
        for table in read_tables(node)
        if table not in layer_nodes(MARTS)
    }
    tables = {table_name(node) for node in layer_nodes(MARTS).values()}
    first = LayerPlan(MARTS, {}, others | before, tables, refresh=True)
    first.next_nodes()
    first._known |= {
        node: {"|".join("a" * max(1, len(part_names(found)))): "1:1"}
        for node, found in layer_nodes(MARTS).items()
    }
    states = {
        node: NodeState(
            first._made_from(node) or "", "a run", first._known.get(node), first._inputs(node)
        )
        for node in [*layer_nodes(MARTS), *layer_tests(MARTS)]
    }
    return LayerPlan(MARTS, states, others | now, tables)


TWO_SOURCES: Known = {
    FLOWS: {"a|partner|A": "9:1", "a|total|A": "3:1", "b|total|A": "2:1", "b|total|M": "5:1"},
    COUNTED: {"a|2020-01-01": "12:1", "b|2020-01-01": "7:1", "b|2021-01-01": "8:1"},
    "model.royalty_flows.dim_aggregate_member": {},
}


def test_a_mart_runs_if_the_rows_change_that_it_reads() -> None:
    assert plan_of_marts(TWO_SOURCES, TWO_SOURCES).next_nodes() == []
    changed: Known = {**TWO_SOURCES, FLOWS: {**TWO_SOURCES[FLOWS], "b|total|A": "2:2"}}
    plan = plan_of_marts(TWO_SOURCES, changed)
    wave = plan.next_nodes()
    assert BY_COUNTRY in wave
    assert "model.royalty_flows.mart_world_ranking" in wave
    assert "model.royalty_flows.flows_by_country_monthly" in plan.kept
    assert COVERAGE in plan.kept
    # It reads the countries' totals, which are not known yet.
    assert BY_PARTNER not in wave
    assert BY_PARTNER not in plan.kept


def test_partners_are_built_again_if_a_source_that_states_partners_changes() -> None:
    for part, again in (("a|total|A", True), ("a|partner|A", True), ("b|total|M", False)):
        changed: Known = {**TWO_SOURCES, FLOWS: {**TWO_SOURCES[FLOWS], part: "2:2"}}
        plan = plan_of_marts(TWO_SOURCES, changed)
        plan.next_nodes()
        plan._known[BY_COUNTRY] = {"a": "1:1"}  # the totals were built, and are the same
        plan._pending = [BY_PARTNER]
        assert (BY_PARTNER in plan.next_nodes()) == again, part


@pytest.mark.parametrize(
    ("now", "replaced"),
    [
        ({"b|2020-01-01": "7:2"}, ["b"]),
        ({"a|2020-01-01": ""}, ["a"]),  # the source has no rows any more
        ({"c|2020-01-01": "1:1", "a|2020-01-01": "12:2"}, ["a", "c"]),
    ],
    ids=["changed", "gone", "new"],
)
def test_only_sources_that_change_are_replaced(now: Contents, replaced: list[str]) -> None:
    held = {part: found for part, found in {**TWO_SOURCES[COUNTED], **now}.items() if found}
    plan = plan_of_marts(TWO_SOURCES, {**TWO_SOURCES, COUNTED: held})
    partitions = plan.partitions(plan.next_nodes())
    assert partitions["mart_coverage"] == [{"source": source} for source in replaced]


def test_a_mart_is_built_whole_if_a_table_without_sources_changes() -> None:
    covering = "model.royalty_flows.int_covering_members"
    plan = plan_of_marts(TWO_SOURCES, {**TWO_SOURCES, covering: {"": "2:2"}})
    wave = plan.next_nodes()
    assert COVERAGE in wave
    assert "mart_coverage" not in plan.partitions(wave)


PREFERRED = "model.royalty_flows.mart_preferred_sources"
BALANCE = "model.royalty_flows.mart_balance_by_partner"


def plan_after_the_choice(choice: Contents, pending: list[str]) -> LayerPlan:
    """A plan in which the totals of a source have changed, and the choice has been built again."""
    changed: Known = {**TWO_SOURCES, FLOWS: {**TWO_SOURCES[FLOWS], "a|total|A": "3:2"}}
    plan = plan_of_marts(TWO_SOURCES, changed)
    plan.next_nodes()
    plan._known |= {PREFERRED: choice, "model.royalty_flows.mart_aggregates": {"a": "1:1"}}
    plan._pending = pending
    return plan


@pytest.mark.parametrize(
    ("choice", "replaced"),
    [
        ({"partner|a": "1:2"}, ["a"]),
        ({"partner|a": "1:2", "partner|b": "1:2"}, ["a", "b"]),
        ({"sector|b": "1:2"}, ["a"]),
    ],
    ids=["of itself", "of both", "of another dimension"],
)
def test_rows_are_replaced_if_the_source_changes_or_its_place_in_the_choice(
    choice: Contents, replaced: list[str]
) -> None:
    plan = plan_after_the_choice(choice, [BALANCE])
    found = plan.partitions(plan.next_nodes())
    of_sources = [{"source": source} for source in replaced]
    # The ephemeral model, too: it reads only what the mart replaces that it is compiled into.
    assert (found["mart_balance_by_partner"], found["int_flows_by_member"]) == (of_sources,) * 2


def test_an_ephemeral_model_reads_all_rows_if_one_of_its_marts_is_built_whole() -> None:
    by_sector = "model.royalty_flows.mart_balance_by_sector"
    plan = plan_after_the_choice({}, [BALANCE, by_sector])
    plan._tables = set(plan._tables) - {table_name(layer_nodes(MARTS)[by_sector])}
    found = plan.partitions(plan.next_nodes())
    assert found == {"mart_balance_by_partner": [{"source": "a"}]}


@pytest.mark.parametrize(
    ("now", "replaced"),
    [
        ({"b|2022-01-01": "1:1"}, ["b|2022-01-01"]),
        ({"b|2020-01-01": ""}, ["b|2020-01-01", "b|2021-01-01"]),
        ({"b|2021-01-01": ""}, ["b|2021-01-01"]),
        (
            {"a|2019-01-01": "1:1", "b|2021-01-01": "8:2"},
            ["a|2019-01-01", "a|2020-01-01", "b|2021-01-01"],
        ),
    ],
    ids=["new", "first gone", "last gone", "two sources"],
)
def test_revisions_are_replaced_from_the_first_release_that_changes_on(
    now: Contents, replaced: list[str]
) -> None:
    held = {part: found for part, found in {**TWO_SOURCES[COUNTED], **now}.items() if found}
    plan = plan_of_marts(TWO_SOURCES, {**TWO_SOURCES, COUNTED: held})
    assert parts(plan.partitions(plan.next_nodes())["mart_revisions"]) == replaced


# Releases that are replaced


STATED = "model.royalty_flows.int_wto_stats__observations"
RAW = "source.royalty_flows.raw.wto_stats__observations"
TWO_RELEASES = {"wto_stats|2020-01-01": "a file", "wto_stats|2021-01-01": "a file"}


def parts(partitions: list[Partition]) -> list[str]:
    return ["|".join(partition.values()) for partition in partitions]


def partitions_of_observations(now: Known) -> list[str] | None:
    """The releases of the WTO that are replaced; None if the table is built whole."""
    known = {table: {"": "1:1"} for table in read_tables(STATED)} | {RAW: TWO_RELEASES}
    tables = {table_name(node) for node in layer_nodes(INTERMEDIATE).values()}
    first = LayerPlan(INTERMEDIATE, {}, known, tables)
    inputs = first._inputs(STATED)
    states = {STATED: NodeState(first._made_from(STATED) or "", "a run", {}, inputs)}
    found = LayerPlan(INTERMEDIATE, states, known | now, tables).partitions([STATED])
    return parts(found[layer_nodes(INTERMEDIATE)[STATED]["name"]]) if found else None


@pytest.mark.parametrize(
    ("now", "replaced"),
    [
        (TWO_RELEASES | {"wto_stats|2022-01-01": "a file"}, ["wto_stats|2022-01-01"]),
        (TWO_RELEASES | {"wto_stats|2020-01-01": "other"}, ["wto_stats|2020-01-01"]),
        ({"wto_stats|2021-01-01": "a file"}, ["wto_stats|2020-01-01"]),
        ({}, list(TWO_RELEASES)),
    ],
    ids=["new", "loaded again", "rejected or forgotten", "all gone"],
)
def test_only_releases_that_change_are_replaced(now: Contents, replaced: list[str]) -> None:
    assert partitions_of_observations({RAW: now}) == replaced


def test_observations_are_built_whole_if_a_table_without_releases_changes() -> None:
    now: Known = {RAW: TWO_RELEASES | {"wto_stats|2022-01-01": "a file"}}
    assert partitions_of_observations(now | {ECONOMIES: {"": "2:2"}}) is None


def test_observations_are_built_whole_after_a_change_of_the_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = TWO_RELEASES | {"wto_stats|2022-01-01": "a file"}
    prints = iter(["before"])
    monkeypatch.setattr(changes, "project_fingerprint", lambda: next(prints, "after"))
    assert partitions_of_observations({RAW: now}) is None


def test_the_rows_of_a_new_release_are_added_to_those_of_the_others(revised: Scenario) -> None:
    assert revised.warehouse.published(
        "select min(rowid) filter (is_new) > max(rowid) filter (not is_new) from (select rowid,"
        " source = 'worldbank_wdi' and release_date = '2016-09-01' as is_new"
        " from core.fct_royalty_observations)"
    ) == [(True,)]


# What a gate reads


def test_a_gate_runs_again_if_any_table_that_its_suite_names_changes() -> None:
    table, suite = "core.fct_royalty_flows", "from $batch where code in core.dim_reporter"
    reporters = "model.royalty_flows.dim_reporter"
    known: Known = {FLOWS: {"a|total|A": "1:1"}, reporters: {"": "1:1"}}
    first = gate_inputs(table, suite, known)
    assert first == gate_inputs(table, suite, dict(known))
    assert first != gate_inputs(table, suite, known | {reporters: {"": "1:2"}})
    assert first != gate_inputs(table, suite, known | {FLOWS: {"a|total|A": "1:2"}})
    assert gate_inputs(table, suite, {FLOWS: known[FLOWS]}) is None  # not known: it runs


def test_a_gate_reads_the_parts_of_a_table_that_its_model_reads() -> None:
    table, suite = "marts.flows_by_sector_monthly", "left join core.fct_royalty_flows"
    mart = "model.royalty_flows.flows_by_sector_monthly"
    flows = {"a|sector|M": "1:1", "a|total|M": "1:1", "a|total|A": "1:1", "b|total|M": "1:1"}
    known: Known = {FLOWS: flows, mart: {"": "1:1"}}
    first = gate_inputs(table, suite, known)
    for part, again in (
        ("a|sector|M", True),
        ("a|total|M", True),
        ("a|total|A", False),
        ("b|total|M", False),
    ):
        changed: Known = known | {FLOWS: flows | {part: "1:2"}}
        assert (gate_inputs(table, suite, changed) != first) == again, part


def test_a_gate_on_a_view_reads_what_is_behind_it() -> None:
    raw = "source.royalty_flows.raw.worldbank_wdi__observations"
    table = "staging.stg_worldbank_wdi__observations"
    first = gate_inputs(table, "", {raw: {"": "one file"}})
    assert first != gate_inputs(table, "", {raw: {"": "two files"}})


def test_results_that_were_carried_over_are_published_with_their_run(
    revised: Scenario, template: Scenario
) -> None:
    def results(scenario: Scenario) -> dict[str, tuple[str, str | None, str]]:
        return {
            table: (run, carried_from, details)
            for table, run, carried_from, details in scenario.warehouse.published(
                "select table_name, run_id, carried_from, details from audit.gate_results"
                " where candidate_id = (select max(candidate_id) from audit.gate_results)"
            )
        }

    before, now = results(template), results(revised)
    assert now.keys() == before.keys()
    for table in (
        "core.dim_sector",
        "marts.flows_by_sector",
        "staging.stg_ons_itis__intellectual_property",
    ):
        run, _, details = before[table]
        assert now[table][1:] == (run, details)
    for table in ("core.fct_royalty_observations", "marts.mart_revisions"):
        assert now[table][1] is None
