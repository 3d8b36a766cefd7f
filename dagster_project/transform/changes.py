"""What has to run: seeds, models and data tests whose inputs hold other rows than when they ran.

A node has the same result as long as the project, the engine and the rows that it reads are the
same. The ledger has a digest of each node's inputs and what its table held then, so a release
costs what depends on it. A layer is built in waves: once the tables of a wave are built, their
contents decide which of the tables that read them have to be built at all.

The state to compare with is that of the same file: the workbench, or the publication that the
candidate is a copy of. Of a model, only some rows of another may count (`reads` in its `meta`):

    reads: {breakdown: [total, partner], frequency: [A], of_sources_with: partner}

These are parts of a table (`contents.py`); `of_sources_with` leaves out sources without that
breakdown. A model with `partition_by: [source, release_date]` is a dbt incremental model: if all
changed parts of its inputs have a source and a release, only those releases are replaced. That is
right if no row depends on rows of another partition; with `later_too`, a row may depend on earlier
ones of the last name, so these are replaced from the first that changes on. The ledger has the
parts that the model read. An ephemeral model with `partition_by` reads what the models replace that
it is compiled into.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from dagster_project.base.hashing import text_sha256
from dagster_project.transform.build_fingerprint import project_fingerprint
from dagster_project.transform.contents import (
    Contents,
    contents,
    part_names,
    part_of,
    part_values,
)
from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.layers import (
    Layer,
    build_order,
    layer_nodes,
    layer_tests,
    table_name,
)
from dagster_project.workbench.builds import NodeState, node_states
from dagster_project.workbench.releases import accepted_files

_LEDGER = "source.royalty_flows.audit.releases"
UNIT_TESTS = "resource_type:unit_test"  # they test the SQL, not the rows
_STORED = ("seed", "table", "incremental")

# What each table holds, by dbt's unique id.
Known = dict[str, Contents]

# The values of `partition_by`, by name.
Partition = dict[str, str]


def raw_contents(con: duckdb.DuckDBPyConnection) -> Known:
    """Return what the raw tables and the ledger hold: the accepted files with rows in them.

    A load is identified by its time. Its rows are contiguous, so DuckDB reads very little. Each
    release is a part.
    """
    accepted = accepted_files(con)
    known: Known = {_LEDGER: {"": repr(accepted)}}
    for unique_id, source in manifest()["sources"].items():
        if source["schema"] != "raw":
            continue
        times = con.execute(f"select distinct _loaded_at from {table_name(source)}").fetchall()
        loads = {time for (time,) in times}
        name = source["name"].partition("__")[0]
        files = [file for file in accepted if file[0] == name and file[4] in loads]
        known[unique_id] = {
            part_of(release): repr(list(of_release))
            for release, of_release in groupby(files, itemgetter(0, 1))
        }
    return known


def known_contents(con: duckdb.DuckDBPyConnection, candidate_id: str) -> Known:
    """Return what the raw tables, and the tables that are built for a candidate, hold."""
    states = node_states(con, candidate_id)
    built = {node: state.contents for node, state in states.items() if state.contents is not None}
    return raw_contents(con) | built


def gate_inputs(table: str, suite: str, known: Mapping[str, Contents]) -> str | None:
    """Return the digest of the project and of what a table and those that its suite names hold;
    None if that is not known. Of a table that its model reads, a suite looks at the same parts.
    """
    nodes = _nodes_by_table()
    names = re.findall(r"\b\w+\.\w+\b", suite)
    stored = {node for name in {table, *names} & nodes.keys() for node in _stored(nodes[name])}
    if not known.keys() >= stored:
        return None
    read = {node: known[node] for node in stored}
    inputs = read_tables(nodes[table])
    return digest(
        {
            node: _read_parts(nodes[table], node, read) if node in inputs else held
            for node, held in read.items()
        }
    )


class LayerPlan:
    """Which nodes of a layer run, wave by wave, and which are kept with the run that made them.

    before: how each node was when it last ran. known: what the tables of earlier layers hold now.
    tables: the names of the tables and views that exist. refresh: everything runs, in one wave.
    """

    def __init__(
        self,
        layer: Layer,
        before: Mapping[str, NodeState],
        known: Mapping[str, Contents],
        tables: Collection[str],
        *,
        refresh: bool = False,
    ) -> None:
        self.kept: dict[str, str] = {}
        self._unrecorded: dict[str, NodeState] = {}
        self._before, self._tables, self._refresh = before, tables, refresh
        self._nodes, self._tests = layer_nodes(layer), layer_tests(layer)
        self._known: Known = dict(known)
        self._pending = list(build_order(layer))

    def next_nodes(self) -> list[str]:
        """Return the nodes of the next wave, and note those that are kept; empty at the end."""
        wave: list[str] = []
        if self._refresh:
            wave, self._pending = self._pending, []
            return wave
        waiting: list[str] = []
        unsettled: set[str] = set()  # tables whose contents are not known until they have run
        blocked: set[str] = set()
        for node in self._pending:
            parents = set(read_tables(node))
            waits_for = blocked if node in self._tests else unsettled
            if not parents.isdisjoint(waits_for):
                waiting.append(node)
                unsettled.add(node)
                blocked.add(node)
            elif node in self._tests and not parents.isdisjoint(unsettled):
                wave.append(node)
            elif self._is_unchanged(node):
                self._keep(node)
            else:
                wave.append(node)
                unsettled.add(node)
        self._pending = waiting
        return wave

    def partitions(self, wave: Iterable[str]) -> dict[str, list[Partition]]:
        """Return the partitions to replace, by the model's name; other models are built whole."""
        found = {node: self._changed_partitions(node) for node in wave if node in self._nodes}
        changed = found | {node: _of_readers(node, found) for node in _inlined_by_partition()}
        return {_node(node)["name"]: values for node, values in changed.items() if values}

    def settle(
        self, con: duckdb.DuckDBPyConnection, succeeded: Collection[str], run_id: str
    ) -> None:
        """Note what nodes that ran were made from and hold now."""
        held = {node: self._contents(con, node) for node in succeeded if node in self._nodes}
        self._known |= {node: found for node, found in held.items() if found is not None}
        self._unrecorded |= {
            node: NodeState(
                digest(inputs), run_id, held.get(node), inputs if _partition_by(node) else None
            )
            for node in succeeded
            if (inputs := self._inputs(node)) is not None
        }

    def take_states(self) -> dict[str, NodeState]:
        """Return the states of nodes that have run or are kept, each once."""
        states, self._unrecorded = self._unrecorded, {}
        return states

    def _contents(self, con: duckdb.DuckDBPyConnection, node: str) -> Contents | None:
        found = self._nodes[node]
        if found["config"]["materialized"] not in _STORED:
            return None
        return contents(con, table_name(found), found)

    def _is_unchanged(self, node: str) -> bool:
        before = self._before.get(node)
        there = node not in self._nodes or table_name(self._nodes[node]) in self._tables
        return before is not None and there and before.made_from == self._made_from(node)

    def _keep(self, node: str) -> None:
        before = self._before[node]
        self.kept[node] = before.made_by
        self._unrecorded[node] = before
        if before.contents is not None:
            self._known[node] = before.contents

    def _made_from(self, node: str) -> str | None:
        """Return the digest of a node's inputs; None if it is not known what one of them holds."""
        inputs = self._inputs(node)
        return None if inputs is None else digest(inputs)

    def _inputs(self, node: str) -> Known | None:
        # A view or a seed is the same whatever its inputs hold.
        found = self._nodes.get(node)
        if found and found["config"]["materialized"] in ("view", "seed"):
            return {}
        tables = read_tables(node)
        if not self._known.keys() >= set(tables):
            return None
        read = {table: self._known[table] for table in tables}
        return {table: _read_parts(node, table, read) for table in tables}

    def _changed_partitions(self, node: str) -> list[Partition] | None:
        """Return the partitions whose rows change; None if all rows may change."""
        by, before, now = _partition_by(node), self._before.get(node), self._inputs(node)
        there = table_name(self._nodes[node]) in self._tables
        if not by or self._refresh or not there or not before or now is None:
            return None
        # Another digest: the model was made by another project.
        if before.inputs is None or digest(before.inputs) != before.made_from:
            return None
        read: set[tuple[str, ...]] = set()
        changed: set[tuple[str, ...]] = set()
        for table, parts in now.items():
            names = part_names(_node(table))
            differing = {part for part, _ in before.inputs[table].items() ^ parts.items()}
            if set(by) <= set(names):
                for into, found in ((read, parts), (changed, differing)):
                    values = [dict(zip(names, part_values(part), strict=True)) for part in found]
                    into |= {tuple(of_part[name] for name in by) for of_part in values}
            elif differing:
                return None
        if _meta(node).get("later_too"):
            changed |= {
                each for each in read for one in changed if each[:-1] == one[:-1] and each > one
            }
        return [dict(zip(by, values, strict=True)) for values in sorted(changed)]


def _of_readers(
    inlined: str, found: Mapping[str, list[Partition] | None]
) -> list[Partition] | None:
    """Return the partitions that the models of a wave replace which an ephemeral model is compiled
    into; None if one of them is built whole.
    """
    of_each = [found[node] or [] for node in found if inlined in _compiled_into(node)]
    if not all(of_each):
        return None
    partitions = [partition for of_one in of_each for partition in of_one]
    return [one for place, one in enumerate(partitions) if one not in partitions[:place]]


def digest(inputs: Mapping[str, Contents]) -> str:
    """Return the digest of the project and of these rows."""
    read = sorted((table, sorted(parts.items())) for table, parts in inputs.items())
    return text_sha256(repr((project_fingerprint(), read)))


def _read_parts(node: str, table: str, read: Mapping[str, Contents]) -> Contents:
    """Return the parts of a table that count for a node."""
    reads = dict(_meta(node).get("reads", {}))
    names = part_names(_node(table))
    if not reads or not names:
        return read[table]
    breakdown = reads.pop("of_sources_with", None)
    wanted = {name: set(values) for name, values in reads.items() if name in names}
    if breakdown and "source" in names:
        wanted["source"] = _sources_with(breakdown, reads, read)
    return {
        part: found
        for part, found in read[table].items()
        if all(
            value in wanted.get(name, {value})
            for name, value in zip(names, part_values(part), strict=True)
        )
    }


def _sources_with(
    breakdown: str, reads: Mapping[str, Any], read: Mapping[str, Contents]
) -> set[str]:
    """Return the sources with rows of a breakdown, in the frequencies that are read."""
    sources = set()
    for table, parts in read.items():
        names = part_names(_node(table))
        if "breakdown" in names:
            for part in parts:
                values = dict(zip(names, part_values(part), strict=True))
                if values["breakdown"] == breakdown and values["frequency"] in reads["frequency"]:
                    sources.add(values["source"])
    return sources


@cache
def _nodes_by_table() -> dict[str, str]:
    """Return dbt's unique id of every table and view, by `<schema>.<table>`."""
    found = {**manifest()["sources"], **manifest()["nodes"]}
    return {
        table_name(node): unique_id
        for unique_id, node in found.items()
        if node["resource_type"] in ("source", "seed", "model")
    }


@cache
def _inlined_by_partition() -> tuple[str, ...]:
    """Return the ephemeral models that read only the partitions that their readers replace."""
    return tuple(
        unique_id
        for unique_id in manifest()["nodes"]
        if _is_ephemeral(unique_id) and "partition_by" in _meta(unique_id)
    )


@cache
def _compiled_into(unique_id: str) -> frozenset[str]:
    """Return the ephemeral models that a node reads, itself or through other ones."""
    direct = {node for node in _parents(unique_id) if _is_ephemeral(node)}
    return frozenset(direct.union(*(_compiled_into(node) for node in direct)))


def _is_ephemeral(unique_id: str) -> bool:
    return bool(_node(unique_id)["config"].get("materialized") == "ephemeral")


def _node(unique_id: str) -> Mapping[str, Any]:
    nodes = manifest()["nodes"]
    return nodes[unique_id] if unique_id in nodes else manifest()["sources"][unique_id]


def _parents(unique_id: str) -> list[str]:
    found: list[str] = _node(unique_id).get("depends_on", {}).get("nodes", [])
    return found


def _partition_by(unique_id: str) -> list[str]:
    """Return the columns of a model's partitions; none if it is always built whole."""
    by = _meta(unique_id).get("partition_by", [])
    return [by] if isinstance(by, str) else by


def _meta(unique_id: str) -> Mapping[str, Any]:
    return _node(unique_id)["config"].get("meta", {})


@cache
def read_tables(unique_id: str) -> tuple[str, ...]:
    """Return the tables that a node reads, itself or through views and ephemeral models, by unique
    id. Includes the ledger's releases, if it uses more of them than the status of raw rows.
    """
    parents = _parents(unique_id)
    found = {table for parent in parents for table in _stored(parent)}
    reads_raw = any(parent.startswith("source.royalty_flows.raw.") for parent in parents)
    return tuple(sorted(found - {_LEDGER} if reads_raw else found))


def _stored(unique_id: str) -> tuple[str, ...]:
    """Return a table, or the tables behind a view or an ephemeral model."""
    if unique_id.startswith("source."):
        return (unique_id,)
    is_table = _node(unique_id)["config"]["materialized"] in _STORED
    return (unique_id,) if is_table else read_tables(unique_id)


@cache
def raw_tables_behind(unique_id: str) -> tuple[str, ...]:
    """Return the raw tables that a node reads, directly or not, as `<schema>.<table>`."""
    if unique_id.startswith("source."):
        return (table_name(manifest()["sources"][unique_id]),)
    parents = manifest()["nodes"][unique_id]["depends_on"].get("nodes", [])
    return tuple(sorted({table for parent in parents for table in raw_tables_behind(parent)}))


def tests_of(layer: Layer, tables: Iterable[str]) -> list[str]:
    """Return the data tests of a layer that check one of these seeds or models, by unique id."""
    wanted = set(tables)
    return [
        unique_id
        for unique_id, test in layer_tests(layer).items()
        if not wanted.isdisjoint(test["depends_on"]["nodes"])
    ]


def select_nodes(unique_ids: Iterable[str]) -> list[str]:
    """Return the arguments with which dbt runs only these nodes."""
    names = [".".join(manifest()["nodes"][unique_id]["fqn"]) for unique_id in unique_ids]
    return ["--select", *names, "--indirect-selection", "empty", "--exclude", UNIT_TESTS]
