"""Candidates (`audit.candidates`) and their builds (`audit.builds`).

A build covers one layer, or part of it, in one run: a row per seed, model and data test, all with
the same `started_at`. `finished_at` is set once the whole layer was built and its data tests
passed. `made_from` is the digest of a node's inputs when it last ran, and `made_by` that run, which
may be an earlier one: unchanged nodes do not run.
"""

from collections.abc import Mapping
from datetime import datetime

import duckdb

from dagster_project.workbench.ledger_schema import ledger_time


def start_candidate(con: duckdb.DuckDBPyConnection, run_id: str, fingerprint: str) -> str:
    """Record a new candidate and return its id, which sorts by time."""
    started = ledger_time(con)
    candidate_id = f"{started:%Y%m%dT%H%M%S}-{run_id[:8]}"
    con.execute(
        "insert into audit.candidates values (?, ?, ?, ?)",
        [candidate_id, run_id, fingerprint, started],
    )
    return candidate_id


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
    kept: Mapping[str, tuple[str, str]],
) -> None:
    """Record that a layer is being built: its former success and gates become void.

    nodes: by dbt's unique id, each with its table; None for a data test.
    kept: the unchanged nodes among them, each with the digest of its inputs and the run that made
    it. Those of the others are unknown until they have run.
    """
    con.execute(
        "insert into audit.builds select ?, ?, unnest(?::varchar[]), unnest(?::varchar[]), ?, ?,"
        " null, unnest(?::varchar[]), unnest(?::varchar[])",
        [
            candidate_id,
            layer,
            list(nodes),
            list(nodes.values()),
            run_id,
            ledger_time(con),
            [kept.get(node, (None, None))[0] for node in nodes],
            [kept.get(node, (None, None))[1] for node in nodes],
        ],
    )


def record_made_from(
    con: duckdb.DuckDBPyConnection, candidate_id: str, made_from: Mapping[str, str], run_id: str
) -> None:
    """Record the digests of the inputs of nodes that succeeded."""
    con.execute(
        "update audit.builds set made_from = made.digest, made_by = run_id"
        " from (select unnest(?::varchar[]) as node, unnest(?::varchar[]) as digest) as made"
        " where builds.node = made.node and candidate_id = ? and run_id = ?",
        [list(made_from), list(made_from.values()), candidate_id, run_id],
    )


def finish_layer(
    con: duckdb.DuckDBPyConnection, candidate_id: str, layer: str, run_id: str
) -> None:
    """Record that a whole layer was built, and that its models and data tests succeeded."""
    con.execute(
        "update audit.builds set finished_at = ?"
        " where candidate_id = ? and layer = ? and run_id = ?",
        [ledger_time(con), candidate_id, layer, run_id],
    )


def nodes_built(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """Return, by dbt's unique id, the digest of a node's last inputs, and the run that made it."""
    rows = con.execute(
        "select node, arg_max(coalesce(made_from, ''), started_at) as digest,"
        " arg_max(coalesce(made_by, ''), started_at)"
        " from audit.builds group by node having digest <> ''"
    ).fetchall()
    return {node: (made_from, made_by) for node, made_from, made_by in rows}


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
