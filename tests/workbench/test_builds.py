"""The ledger's entries on builds, and a ledger that an earlier version made."""

import duckdb
import pytest

from dagster_project.workbench.builds import (
    NodeState,
    finish_layer,
    node_states,
    record_states,
    start_layer,
    tables_built,
    unfinished_layers,
)
from dagster_project.workbench.checksums import Checksum
from dagster_project.workbench.gate_results import (
    GateResult,
    gated_checksums,
    record_gate_results,
)
from dagster_project.workbench.ledger_schema import create_ledger

NODES = {"model.a": "staging.a", "model.b": "staging.b", "test.a": None}


@pytest.fixture
def ledger(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    create_ledger(con)
    return con


def build(con: duckdb.DuckDBPyConnection, run_id: str) -> None:
    start_layer(con, "candidate", "staging", NODES, run_id)


def test_a_node_keeps_its_state_until_it_is_rebuilt(ledger: duckdb.DuckDBPyConnection) -> None:
    build(ledger, "run 1")
    assert node_states(ledger) == {}
    known = {
        "model.a": NodeState("digest a", "run 1", {"source a": "3:12"}),
        "test.a": NodeState("digest t", "run 1"),
    }
    record_states(ledger, "candidate", known, "run 1")
    assert node_states(ledger) == node_states(ledger, "candidate") == known
    assert node_states(ledger, "another") == {}
    start_layer(ledger, "candidate", "staging", {"model.b": "staging.b"}, "run 2")
    assert node_states(ledger) == known
    start_layer(ledger, "candidate", "staging", NODES, "run 3")
    record_states(ledger, "candidate", {"model.a": known["model.a"]}, "run 3")
    assert node_states(ledger) == {"model.a": known["model.a"]}


def test_a_layer_is_finished_as_its_last_build_is(ledger: duckdb.DuckDBPyConnection) -> None:
    build(ledger, "run 1")
    assert unfinished_layers(ledger, "candidate") == ["staging"]
    finish_layer(ledger, "candidate", "staging", "run 1")
    assert unfinished_layers(ledger, "candidate") == []
    start_layer(ledger, "candidate", "staging", {"model.b": "staging.b"}, "run 2")
    assert unfinished_layers(ledger, "candidate") == ["staging"]
    assert unfinished_layers(ledger, "another") == []


def test_a_table_was_built_when_its_last_build_began(ledger: duckdb.DuckDBPyConnection) -> None:
    build(ledger, "run 1")
    first = tables_built(ledger, "candidate")
    assert first.keys() == {"staging.a", "staging.b"}
    start_layer(ledger, "candidate", "staging", {"model.b": "staging.b"}, "run 2")
    second = tables_built(ledger, "candidate")
    assert second["staging.a"] == first["staging.a"] < second["staging.b"]


def test_the_ledger_of_an_earlier_version_loses_obsolete_tables(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    ledger.execute(
        "drop table audit.builds;"
        "create table audit.materializations as select 'old' as candidate_id;"
        "create table audit.layer_builds as select 'old' as candidate_id;"
        "create table audit.node_builds as select 'node' as node, 'digest' as made_from;"
        "insert into audit.decisions values (timestamp '2024-01-01', 'reject', 'a/b', 'because')"
    )
    create_ledger(ledger)
    assert node_states(ledger) == {}
    assert ledger.execute("select subject from audit.decisions").fetchall() == [("a/b",)]
    tables = "select table_name from duckdb_tables() where schema_name = 'audit' order by all"
    assert [name for (name,) in ledger.execute(tables).fetchall()] == [
        "builds",
        "candidates",
        "decisions",
        "gate_results",
        "ledger_version",
        "publication",
        "published_files",
        "releases",
        "test_results",
    ]


def test_the_ledger_of_an_earlier_version_gets_new_columns(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    for column in ("row_count", "checksum", "suite_sha256", "made_from", "carried_from"):
        ledger.execute(f"alter table audit.gate_results drop column {column}")
    ledger.execute(
        "insert into audit.gate_results values"
        " ('core', 'core.t', null, 'run', true, 1, 0, '[]', timestamp '2024-01-01', 'candidate')"
    )
    create_ledger(ledger)
    assert gated_checksums(ledger, "candidate") == {}
    record_gate_results(
        ledger,
        [GateResult("core", "core.t", None, True, 1, 0, [], 3, "17", "digest")],
        "run 2",
        "candidate",
    )
    assert gated_checksums(ledger, "candidate") == {"core.t": Checksum(3, "17")}
    assert gated_checksums(ledger, "another") == {}
