"""Candidates (`audit.candidates`) and their builds (`audit.builds`).

A build covers one layer, or part of it, in one run: a row per seed, model and data test, all with
the same `started_at`. `finished_at` is set once the whole layer was built and its data tests
passed. `made_from` is the digest of a node's inputs when it last ran, `made_by` that run, which may
be an earlier one because unchanged nodes do not run, `contents` what its table holds, by part, and
`inputs` what the tables that it read held then, of a model whose partitions are replaced.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from dagster_project.workbench.ledger_schema import ledger_time


@dataclass(frozen=True)
class NodeState:
    """A node as it last ran.

    contents: of its table, by part; None for a view or a data test. inputs: the contents of the
    tables that it read; None if it is always built whole.
    """

    made_from: str
    made_by: str
    contents: Mapping[str, str] | None = None
    inputs: Mapping[str, Mapping[str, str]] | None = None


def start_candidate(
    con: duckdb.DuckDBPyConnection, run_id: str, fingerprint: str, project: str, base: str | None
) -> str:
    """Record a new candidate and return its id, which sorts by time.

    base: the candidate of the publication that it is a copy of, if it is one.
    """
    started = ledger_time(con)
    candidate_id = f"{started:%Y%m%dT%H%M%S}-{run_id[:8]}"
    con.execute(
        "insert into audit.candidates by name select ? as candidate_id, ? as run_id,"
        " ? as fingerprint, ? as started_at, ? as project, ? as base",
        [candidate_id, run_id, fingerprint, started, project, base],
    )
    return candidate_id


def project_of(con: duckdb.DuckDBPyConnection, candidate_id: str) -> str | None:
    """Return the digest of the project that a candidate was built by; None if it is not known."""
    found = con.execute(
        "select project from audit.candidates where candidate_id = ?", [candidate_id]
    ).fetchone()
    return found[0] if found else None


def base_of(con: duckdb.DuckDBPyConnection, candidate_id: str) -> str | None:
    """Return the candidate of the publication that a candidate is a copy of, if it is one."""
    found = con.execute(
        "select base from audit.candidates where candidate_id = ?", [candidate_id]
    ).fetchone()
    return found[0] if found else None


def current_candidate(con: duckdb.DuckDBPyConnection) -> tuple[str, str] | None:
    """Return id and fingerprint of the latest candidate, or None."""
    return con.execute(
        "select candidate_id, fingerprint from audit.candidates order by started_at desc limit 1"
    ).fetchone()


def start_layer(
    con: duckdb.DuckDBPyConnection,
    candidate_id: str,
    layer: str,
    nodes: Mapping[str, str | None],
    run_id: str,
) -> None:
    """Record that a layer is being built: its former success and gates become void.

    nodes: by dbt's unique id, each with its table; None for a data test. Their state is unknown
    until they have run, or are kept.
    """
    con.execute(
        "insert into audit.builds by name select ? as candidate_id, ? as layer,"
        " unnest(?::varchar[]) as node, unnest(?::varchar[]) as table_name, ? as run_id,"
        " ? as started_at",
        [candidate_id, layer, list(nodes), list(nodes.values()), run_id, ledger_time(con)],
    )


def record_states(
    con: duckdb.DuckDBPyConnection,
    candidate_id: str,
    states: Mapping[str, NodeState],
    run_id: str,
) -> None:
    """Record the states of nodes that succeeded in this run, or that it has kept."""
    con.execute(
        "update audit.builds set made_from = made.digest, made_by = made.by, contents = made.held,"
        " inputs = made.read"
        " from (select unnest(?::varchar[]) as node, unnest(?::varchar[]) as digest,"
        " unnest(?::varchar[]) as by, unnest(?::varchar[]) as held,"
        " unnest(?::varchar[]) as read) as made"
        " where builds.node = made.node and candidate_id = ? and run_id = ?",
        [
            list(states),
            [state.made_from for state in states.values()],
            [state.made_by for state in states.values()],
            [_json(state.contents) for state in states.values()],
            [_json(state.inputs) for state in states.values()],
            candidate_id,
            run_id,
        ],
    )


def _json(held: Mapping[str, Any] | None) -> str | None:
    return None if held is None else json.dumps(held)


def finish_layer(
    con: duckdb.DuckDBPyConnection, candidate_id: str, layer: str, run_id: str
) -> None:
    """Record that a whole layer was built, and that its models and data tests succeeded."""
    con.execute(
        "update audit.builds set finished_at = ?"
        " where candidate_id = ? and layer = ? and run_id = ?",
        [ledger_time(con), candidate_id, layer, run_id],
    )


def node_states(
    con: duckdb.DuckDBPyConnection, candidate_id: str | None = None
) -> dict[str, NodeState]:
    """Return the last known states of nodes, by dbt's unique id; of one candidate, or of any.

    A node without one was not built since its last build began.
    """
    rows = con.execute(
        "select node, made_from, made_by, contents, inputs from audit.builds"
        " where $candidate is null or candidate_id = $candidate"
        " qualify row_number() over (partition by node order by started_at desc) = 1",
        {"candidate": candidate_id},
    ).fetchall()
    return {
        node: NodeState(made_from, made_by, *(json.loads(held) if held else None for held in both))
        for node, made_from, made_by, *both in rows
        if made_from
    }


def tables_built(con: duckdb.DuckDBPyConnection, candidate_id: str) -> dict[str, datetime]:
    """Return, by `<schema>.<table>`, when the last build of a candidate's tables started."""
    rows = con.execute(
        "select table_name, max(started_at) from audit.builds"
        " where candidate_id = ? and table_name is not null group by table_name",
        [candidate_id],
    ).fetchall()
    return dict(rows)


def unfinished_layers(con: duckdb.DuckDBPyConnection, candidate_id: str) -> list[str]:
    """Return the layers of a candidate whose last build was interrupted, failed or partial."""
    rows = con.execute(
        "select layer from audit.builds where candidate_id = ? group by layer"
        " having not arg_max(finished_at is not null, started_at) order by layer",
        [candidate_id],
    ).fetchall()
    return [layer for (layer,) in rows]
