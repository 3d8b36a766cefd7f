"""Candidates and builds."""

from collections.abc import Iterable, Mapping

import duckdb

from dagster_project.workbench.ledger_schema import ledger_time


def start_candidate(con: duckdb.DuckDBPyConnection, run_id: str, fingerprint: str) -> str:
    """Enter a new candidate and return its id, which sorts by time."""
    started = ledger_time(con)
    candidate_id = f"{started:%Y%m%dT%H%M%S}-{run_id[:8]}"
    con.execute(
        "insert into audit.candidates values (?, ?, ?, ?)",
        [candidate_id, run_id, fingerprint, started],
    )
    return candidate_id


def current_candidate(con: duckdb.DuckDBPyConnection) -> tuple[str, str] | None:
    """Return id and fingerprint of the candidate started last, or None."""
    return con.execute(
        "select candidate_id, fingerprint from audit.candidates order by started_at desc limit 1"
    ).fetchone()


def enter_materializations(
    con: duckdb.DuckDBPyConnection,
    candidate_id: str,
    layer: str,
    tables: Iterable[str],
    run_id: str,
) -> None:
    """Enter that tables of a layer were built anew: gates passed before say nothing of them."""
    materialized_at = ledger_time(con)
    for table in tables:
        con.execute(
            "insert into audit.materializations values (?, ?, ?, ?, ?)",
            [candidate_id, layer, table, run_id, materialized_at],
        )


def start_layer(
    con: duckdb.DuckDBPyConnection,
    candidate_id: str,
    layer: str,
    tables: Iterable[str],
    run_id: str,
) -> None:
    """Enter that a layer is being built: from here on its former success and gates are void."""
    con.execute(
        "insert into audit.layer_builds values (?, ?, ?, ?, null)",
        [candidate_id, layer, run_id, ledger_time(con)],
    )
    enter_materializations(con, candidate_id, layer, tables, run_id)


def finish_layer(
    con: duckdb.DuckDBPyConnection, candidate_id: str, layer: str, run_id: str
) -> None:
    """Enter that a whole layer was built, and that its models and data tests succeeded."""
    con.execute(
        "update audit.layer_builds set finished_at = ?"
        " where candidate_id = ? and layer = ? and run_id = ?",
        [ledger_time(con), candidate_id, layer, run_id],
    )


def node_builds(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """Return, by dbt's unique id, what a node was made from (a digest), and in which run."""
    rows = con.execute("select node, made_from, run_id from audit.node_builds").fetchall()
    return {node: (made_from, run_id) for node, made_from, run_id in rows}


def forget_node_builds(con: duckdb.DuckDBPyConnection, nodes: Iterable[str]) -> None:
    """Enter that nodes are about to run: until they have, nobody knows what they hold."""
    con.execute("delete from audit.node_builds where node in (select unnest(?))", [list(nodes)])


def enter_node_builds(
    con: duckdb.DuckDBPyConnection, made_from: Mapping[str, str], run_id: str
) -> None:
    """Enter what nodes were made from, which have run and succeeded."""
    forget_node_builds(con, made_from)
    con.execute(
        "insert into audit.node_builds select unnest(?), unnest(?), ?",
        [list(made_from), list(made_from.values()), run_id],
    )


def unfinished_layers(con: duckdb.DuckDBPyConnection, candidate_id: str) -> list[str]:
    """Return the layers of a candidate whose last build did not end whole and well."""
    rows = con.execute(
        "select layer from audit.layer_builds where candidate_id = ? group by layer"
        " having arg_max(coalesce(finished_at, timestamp '1970-01-01'), started_at)"
        " = timestamp '1970-01-01' order by layer",
        [candidate_id],
    ).fetchall()
    return [layer for (layer,) in rows]
