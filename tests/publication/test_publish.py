import os
from datetime import timedelta

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.publication import publish as publishing
from dagster_project.publication.kept_files import kept_publications, publication_id
from dagster_project.publication.publish import reconcile
from dagster_project.publication.requirements import required
from dagster_project.transform.dbt_runner import manifest
from tests.support import Scenario, Warehouse, held_by, interrupt, rows

TABLE = "core.fct_royalty_flows"


def refusal(warehouse: Warehouse) -> str:
    """The message of a refused publication, which must leave published files as they are."""
    folder = warehouse.settings
    before = [file_sha256(folder.warehouse), kept_publications(folder)]
    ledger = warehouse.workbench("from audit.publication")
    with pytest.raises(BadInput) as caught:
        warehouse.publish_candidate()
    assert [file_sha256(folder.warehouse), kept_publications(folder)] == before
    assert warehouse.workbench("from audit.publication") == ledger
    return caught.value.found


@pytest.fixture
def candidate(warehouse: Warehouse) -> str:
    """The id of a candidate that may be published."""
    return warehouse.restore_candidate()


# The published file


MACROS = ["balance_of", "compare_releases", "lineage_of", "royalty_flows_as_of", "top_partners"]


def test_it_holds_the_fixed_schemas_and_nothing_but_tables_and_the_macros(
    template: Scenario,
) -> None:
    published = template.warehouse.published
    assert published(
        "select distinct schema_name from duckdb_tables() where not internal order by 1"
    ) == [("audit",), ("core",), ("marts",)]
    assert published("select view_name from duckdb_views() where not internal") == []
    assert published(
        "select schema_name, function_name from duckdb_functions() where not internal order by 2"
    ) == [("main", macro) for macro in MACROS]
    assert published(
        "select table_name from duckdb_tables() where schema_name = 'audit' order by 1"
    ) == [("checksums",), ("decisions",), ("gate_results",), ("publication",), ("releases",)]


def test_it_refers_to_nothing_outside_itself(template: Scenario) -> None:
    definitions = template.warehouse.published(
        "select macro_definition from duckdb_functions() where not internal"
    )
    assert len(definitions) == len(MACROS)
    for name in ("workbench.", "royalty_flows.", str(template.warehouse.folder)):
        assert not [definition for (definition,) in definitions if name in definition]


def test_it_opens_read_only_under_another_alias(template: Scenario) -> None:
    with duckdb.connect() as con:
        con.execute(f"attach '{template.warehouse.settings.warehouse}' as elsewhere (read_only)")
        con.execute("use elsewhere")
        stated = con.execute(
            "select count(*) from royalty_flows_as_of(date '2030-01-01')"
        ).fetchall()
        flows = con.sql("select count(*) from elsewhere.core.fct_royalty_flows").fetchall()
        assert stated == flows != [(0,)]


def test_every_table_and_column_has_a_comment(template: Scenario) -> None:
    published = template.warehouse.published
    assert (
        published(
            "select schema_name, table_name from duckdb_tables() where coalesce(comment, '') = ''"
        )
        == []
    )
    assert (
        published(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " where not internal and coalesce(comment, '') = ''"
        )
        == []
    )


def test_every_macro_has_a_comment(template: Scenario) -> None:
    bare = template.warehouse.published(
        "select function_name from duckdb_functions()"
        " where not internal and coalesce(comment, '') = ''"
    )
    assert bare == []


def test_the_ledger_in_it_names_the_publication_itself(template: Scenario) -> None:
    settings = template.warehouse.settings
    (row,) = template.warehouse.published(
        "select publication_id, duckdb_version from audit.publication"
    )
    assert row == (publication_id(settings), duckdb.__version__)
    assert kept_publications(settings)[0].name == f"royalty_flows-{row[0]}.duckdb"


# Publishing


def test_a_candidate_whose_gates_passed_replaces_the_published_file(
    warehouse: Warehouse, candidate: str
) -> None:
    settings = warehouse.settings
    first = held_by(settings.warehouse)
    second = warehouse.publish_candidate()
    assert second.publication_id > first
    assert held_by(settings.warehouse) == second.publication_id
    assert not settings.candidate.exists()
    assert [held_by(path) for path in kept_publications(settings)] == [
        second.publication_id,
        first,
    ]
    assert warehouse.workbench(
        "select publication_id, run_id, candidate_id from audit.publication order by 1 desc limit 1"
    ) == [(second.publication_id, "made-up-run", candidate)]


def test_the_published_file_is_a_second_name_of_the_kept_one(
    warehouse: Warehouse, candidate: str
) -> None:
    warehouse.publish_candidate()
    assert kept_publications(warehouse.settings)[0].samefile(warehouse.settings.warehouse)


def test_a_client_that_forgets_to_ask_for_read_only_cannot_change_it(
    warehouse: Warehouse, candidate: str
) -> None:
    warehouse.publish_candidate()
    assert not warehouse.settings.warehouse.stat().st_mode & 0o222


def test_the_configured_number_of_publications_is_kept(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_KEEP_PUBLICATIONS", "2")
    published = []
    for _ in range(3):
        warehouse.restore_candidate()
        published.append(warehouse.publish_candidate().publication_id)
    kept = [held_by(path) for path in kept_publications(warehouse.settings)]
    assert kept == [published[2], published[1]]


# Refusing


def change_gates(warehouse: Warehouse, sql: str, table: str = TABLE) -> None:
    warehouse.change_ledger(f"{sql} where table_name = '{table}'")


def test_a_gate_that_was_not_run_is_named(warehouse: Warehouse, candidate: str) -> None:
    change_gates(warehouse, "delete from audit.gate_results")
    assert refusal(warehouse) == f"the gate on {TABLE} was not run"


def test_a_gate_of_another_candidate_does_not_count(warehouse: Warehouse, candidate: str) -> None:
    change_gates(warehouse, "update audit.gate_results set candidate_id = 'another'")
    assert refusal(warehouse) == f"the gate on {TABLE} was not run"


def test_a_gate_that_failed_is_named(warehouse: Warehouse, candidate: str) -> None:
    change_gates(warehouse, "update audit.gate_results set success = false")
    assert refusal(warehouse) == f"the gate on {TABLE} failed"


@pytest.mark.parametrize(("last", "reason"), [(True, None), (False, f"the gate on {TABLE} failed")])
def test_only_the_last_result_of_a_gate_counts(
    warehouse: Warehouse, candidate: str, last: bool, reason: str | None
) -> None:
    warehouse.change_ledger(
        f"insert into audit.gate_results select * replace ({not last} as success,"
        " checked_at - interval 1 second as checked_at) from audit.gate_results"
        f" where table_name = '{TABLE}' and candidate_id = '{candidate}'"
    )
    change_gates(
        warehouse,
        f"update audit.gate_results set success = case when checked_at = (select max(checked_at)"
        f" from audit.gate_results where table_name = '{TABLE}') then {last} else {not last} end",
    )
    if reason:
        assert refusal(warehouse) == reason
    else:
        # The order of the older, failed result and the layer's build does not matter.
        assert warehouse.publish_candidate().gates == len(required().tables)


A_TEST = "unique_dim_reporter_reporter_code"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("delete from audit.test_results where {which}", "were not run on this candidate"),
        ("update audit.test_results set success = false where {which}", "failed"),
        (
            "update audit.test_results set checked_at = '2000-01-01' where {which}",
            "were not run on this candidate",
        ),
        (
            "update audit.test_results set candidate_id = 'another' where {which}",
            "were not run on this candidate",
        ),
    ],
)
def test_a_data_test_that_has_not_passed_for_this_candidate_is_named(
    warehouse: Warehouse, candidate: str, change: str, reason: str
) -> None:
    warehouse.change_ledger(change.format(which=f"test_name = '{A_TEST}'"))
    assert refusal(warehouse) == f"1 data tests {reason}: {A_TEST}"


def test_every_data_test_of_the_project_is_required() -> None:
    tests = {name for name, node in manifest()["nodes"].items() if node["resource_type"] == "test"}
    assert set(required().tests) == tests
    assert len(tests) > 150


def test_a_candidate_of_a_ledger_without_data_tests_is_not_published(
    warehouse: Warehouse, candidate: str
) -> None:
    warehouse.change_ledger("drop table audit.test_results")  # as it was made by earlier versions
    assert f"{len(required().tests)} data tests were not run" in refusal(warehouse)


def test_a_table_that_was_not_built_is_named(warehouse: Warehouse, candidate: str) -> None:
    change_gates(warehouse, "delete from audit.builds")
    assert refusal(warehouse) == f"{TABLE} was not built"


@pytest.mark.parametrize(
    ("rebuilt", "void", "remains"),
    [
        ("marts.mart_revisions", "marts.mart_world_ranking", TABLE),
        (TABLE, "marts.mart_revisions", "intermediate.int_observations"),
        ("seeds.sources", "marts.mart_revisions", None),
    ],
)
def test_gates_are_void_once_the_tables_they_checked_are_rebuilt(
    warehouse: Warehouse, candidate: str, rebuilt: str, void: str, remains: str | None
) -> None:
    change_gates(
        warehouse,
        "update audit.builds set started_at ="
        " (select max(checked_at) + interval 1 second from audit.gate_results)",
        rebuilt,
    )
    reasons = refusal(warehouse)
    assert f"{void} or one of its inputs was built again after its gate had passed" in reasons
    assert f"{remains} or one of" not in reasons


@pytest.mark.parametrize("layer", ["staging", "core"])
def test_a_layer_that_was_not_built_whole_is_named(
    warehouse: Warehouse, candidate: str, layer: str
) -> None:
    warehouse.change_ledger(f"update audit.builds set finished_at = null where layer = '{layer}'")
    assert f"the layer {layer} was not built completely" in refusal(warehouse)


def test_a_release_accepted_since_the_candidate_was_started_voids_it(
    warehouse: Warehouse, candidate: str
) -> None:
    warehouse.change_ledger(
        "insert into audit.releases select * replace ('other.csv' as file_name)"
        " from audit.releases where source = 'published_figures'"
    )
    reason = "releases, models or gates have changed since the candidate was started"
    assert refusal(warehouse) == reason


def test_every_required_table_is_one_of_a_layer() -> None:
    gates = required().tables
    assert set(gates.values()) == {"staging", "intermediate", "core", "marts"}
    assert gates["seeds.economies"] == "staging"
    assert gates["marts.mart_world_ranking"] == "marts"


def test_without_a_candidate_file_there_is_nothing_to_publish(warehouse: Warehouse) -> None:
    assert "there is no candidate file" in refusal(warehouse)


def test_a_damaged_candidate_file_is_refused(warehouse: Warehouse, candidate: str) -> None:
    warehouse.settings.candidate.write_bytes(b"made up" * 1000)
    assert "the candidate file cannot be read" in refusal(warehouse)


def test_a_truncated_candidate_file_is_refused(warehouse: Warehouse, candidate: str) -> None:
    os.truncate(warehouse.settings.candidate, 4096)
    assert "the candidate file" in refusal(warehouse)


def test_the_file_of_another_candidate_is_refused(warehouse: Warehouse, candidate: str) -> None:
    with duckdb.connect(warehouse.settings.candidate) as con:
        con.execute("update audit.candidate set candidate_id = 'another'")
    assert "the candidate file belongs to" in refusal(warehouse)


def test_a_candidate_that_was_started_later_is_not_the_one_in_the_file(
    warehouse: Warehouse, candidate: str
) -> None:
    warehouse.change_ledger(
        "insert into audit.candidates select * replace ('newer' as candidate_id,"
        " started_at + interval 1 hour as started_at) from audit.candidates"
    )
    assert "not to the latest candidate" in refusal(warehouse)


# Crashes


def test_a_crash_between_the_rename_and_the_ledger_is_repaired(
    warehouse: Warehouse, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "reconcile", interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    published = warehouse.published("from audit.publication order by published_at")
    assert warehouse.workbench("from audit.publication order by published_at") == published[:-1]
    reconcile(warehouse.settings)
    reconcile(warehouse.settings)
    assert warehouse.workbench("from audit.publication order by published_at") == published


def test_a_crash_before_the_rename_leaves_the_published_file(
    warehouse: Warehouse, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file_sha256(warehouse.settings.warehouse)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    assert file_sha256(warehouse.settings.warehouse) == before
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    assert file_sha256(warehouse.settings.warehouse) != before


def test_times_in_the_ledger_are_in_order(template: Scenario) -> None:
    ((started, checked, published),) = rows(
        template.warehouse.settings.workbench,
        "select max(started_at), max(checked_at), max(published_at)"
        " from audit.candidates, audit.gate_results, audit.publication",
    )
    assert timedelta(0) < published - checked < published - started
