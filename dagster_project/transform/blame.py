"""Finds the releases behind the failing rows of a layer's rule.

All failing rows count, not only those shown. If they lack source and release, these are looked up
in the rule's table, and for marts also in the flows. A rule or model that cannot be evaluated is
tried on each release alone. `defs/set_aside.py` decides on the consequences.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from dagster_project.base.errors import in_words, printable
from dagster_project.base.settings import Settings
from dagster_project.base.sql import literal
from dagster_project.transform.changes import raw_tables_behind
from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.layers import Layer, layer_nodes, table_name
from dagster_project.workbench.gate_results import STRUCTURE, GateResult
from dagster_project.workbench.releases import accepted_files

_FLOWS = "model.royalty_flows.fct_royalty_flows"
_RELEASE = ("source", "release_date")
# The columns that link a mart's row to its flows; a mart lacks those that it sums over.
_FLOW_KEYS = (
    "source",
    "reporter_code",
    "partner_code",
    "sector_code",
    "category_code",
    "affiliation_code",
    "region_code",
    "concept",
    "period",
)
# The names of the tested column in the results of dbt's own data tests.
_NAMES_OF_DBT = {
    "unique": "unique_field",
    "accepted_values": "value_field",
    "relationships": "from_field",
}
# Data tests that a row fails by itself. If rows fail together, the newest release is at fault.
_BY_ITSELF = {
    "accepted_values",
    "relationships",
    "not_null",
    "not_null_columns",
    "codes_in_dimension",
}
_NEWEST = (
    "qualify release_date is not distinct from"
    " max(release_date) over (partition by failing_row, source)"
)
# If a mart's row comes from several releases, the one at fault is unknown.
_THE_ONLY_ONE = (
    "qualify min(release_date) over (partition by failing_row, source)"
    " = max(release_date) over (partition by failing_row, source)"
)
_NOT_NULL = re.compile(r"NOT NULL constraint failed: [\w.\"]+\.\"?(\w+)")
# Errors caused by a row; any other is an error in the SQL.
_ERRORS_OF_ROWS = (duckdb.DataError, duckdb.IntegrityError, duckdb.InvalidInputException)


@dataclass(frozen=True)
class FailedRule:
    """A rule that failed, or a model that could not be built, which counts as a rule without rows.

    node: the seed, model or data test, by dbt's unique id. query: the SQL that gives all failing
    rows (of a model, its own); empty for a rule about a whole table.
    """

    layer: Layer
    node: str
    table: str
    rule: str
    kind: str
    query: str
    found: str
    fix: str
    is_model: bool = False
    by_itself: bool = False


@dataclass(frozen=True)
class BlamedRelease:
    """A release with failing rows: their number and the first one, or the error that it causes."""

    source: str
    release: date
    found: str


@dataclass(frozen=True)
class Blame:
    """The releases behind a rule's failing rows, and the number of rows with an unknown release."""

    releases: list[BlamedRelease] = field(default_factory=list)
    unexplained: int = 0


def failed_node(layer: Layer, result: Any) -> FailedRule:
    """Return a failed model or data test of dbt as a rule."""
    node = manifest()["nodes"][result.node.unique_id]
    is_model = node["resource_type"] != "test"
    about = node if is_model else manifest()["nodes"][_table_of_test(node)]
    kind = (node.get("test_metadata") or {}).get("name", "")
    runs_alone = node["resource_type"] in ("model", "test")
    query = (getattr(result.node, "compiled_code", None) or "") if runs_alone else ""
    empty = _NOT_NULL.search(str(result.message)) if is_model else None
    if query and empty:
        query = f'select * from (\n{query}\n) where "{empty[1]}" is null'
    elif query and kind in _NAMES_OF_DBT:
        name = node["column_name"]
        query = f'select * rename ({_NAMES_OF_DBT[kind]} as "{name}") from (\n{query}\n)'
    return FailedRule(
        layer=layer,
        node=result.node.unique_id,
        table=table_name(about),
        rule="the model can be built" if is_model else f"dbt data test {node['name']}",
        kind=STRUCTURE,
        query=query,
        found=printable(str(result.message)),
        fix=f"see dbt/{node['original_file_path']}: correct the raw file, the model or its test",
        is_model=is_model and not empty,
        by_itself=kind in _BY_ITSELF,
    )


def _table_of_test(node: Any) -> str:
    """Return the seed or model that a data test checks; for a test in SQL, the first it names."""
    return node.get("attached_node") or node["depends_on"]["nodes"][0]


def failed_expectations(layer: Layer, results: list[GateResult]) -> list[FailedRule]:
    """Return the failed critical expectations as rules."""
    nodes = {table_name(node): unique_id for unique_id, node in layer_nodes(layer).items()}
    return [
        FailedRule(
            layer=layer,
            node=nodes[result.table_name],
            table=result.table_name,
            rule=detail["expectation"],
            kind=detail["kind"],
            query=detail["failing_query"],
            found=detail["observed"],
            fix=detail["fix"],
        )
        for result in results
        for detail in result.details
        if not detail["success"] and detail["severity"] == "critical"
    ]


def blame(con: duckdb.DuckDBPyConnection, settings: Settings, rule: FailedRule) -> Blame:
    """Return the releases behind a rule's failing rows. con: to the workbench."""
    if not rule.query:
        return Blame()
    accepted = accepted_files(con)
    with _attached_candidate(con, settings, rule):
        if not rule.is_model:
            numbered = "row_number() over () as failing_row"
            try:
                _create(con, "failing", f"select {numbered}, * from (\n{rule.query}\n) as found")
                return _trace(con, rule)
            except _ERRORS_OF_ROWS:
                pass
            except duckdb.Error:
                return Blame()  # an error in the rule itself
        ledger = f"{settings.workbench.stem}.audit.releases"
        return Blame(list(_try_each_release(con, rule, accepted, ledger)))


@contextmanager
def _attached_candidate(
    con: duckdb.DuckDBPyConnection, settings: Settings, rule: FailedRule
) -> Iterator[None]:
    """Attach the candidate, as dbt does; rules on its tables do not name a catalog."""
    if settings.candidate.exists():
        con.execute(f"attach {literal(str(settings.candidate))} as royalty_flows (read_only)")
    try:
        if rule.layer.in_candidate:
            con.execute("use royalty_flows")
        yield
    finally:
        con.execute(f"use {settings.workbench.stem}")
        con.execute("detach database if exists royalty_flows")


def _trace(con: duckdb.DuckDBPyConnection, rule: FailedRule) -> Blame:
    """Return the source and release of the rows in `failing`."""
    found = con.execute("select count(*) from failing").fetchall()[0][0]
    nodes = manifest()["nodes"]
    about = next(n for n in nodes.values() if "relation_name" in n and table_name(n) == rule.table)
    shown = _columns(con, "failing") - {"failing_row", *_RELEASE}
    which = "" if rule.by_itself else _NEWEST
    _add_lineage(con, about["relation_name"])
    sources = sources_behind(rule.node)
    if "source" not in _columns(con, "failing") and len(sources) == 1:
        _create(con, "failing", f"select *, {literal(sources[0])} as source from failing")
    if rule.layer.name == "marts" and not _names_release(con):
        which = _THE_ONLY_ONE
        if "source" in _columns(con, "failing"):
            _add_lineage(con, nodes[_FLOWS]["relation_name"], _FLOW_KEYS)
    if not _names_release(con):
        return Blame(unexplained=found)
    _create(con, "failing", f"select * from failing {which}")
    _create(con, "failing", "select * from failing where source || release_date is not null")
    releases = con.execute(
        "select source, cast(release_date as date) as release_date, count(distinct failing_row),"
        " min(failing_row) from failing group by 1, 2 order by 1, 2"
    ).fetchall()
    explained = con.execute("select count(distinct failing_row) from failing").fetchall()[0][0]
    return Blame(
        [
            BlamedRelease(
                source, day, f"{count:,} row{'s' * (count > 1)}{_first(con, number, shown)}"
            )
            for source, day, count, number in releases
        ],
        found - explained,
    )


def _add_lineage(
    con: duckdb.DuckDBPyConnection, relation: str, by: Collection[str] | None = None
) -> None:
    """Add source, release and key to the failing rows, if missing, by their shared columns."""
    if _names_release(con):
        return
    ours, theirs = _columns(con, "failing"), _columns(con, relation)
    wanted = [
        f'there."{name}"'
        for name in dict.fromkeys((*_RELEASE, *_FLOW_KEYS))
        if name in theirs and name not in ours
    ]
    shared = sorted(theirs & ours if by is None else theirs & ours & set(by))
    same = [f'failing."{name}" is not distinct from there."{name}"' for name in shared]
    if {
        "column_name",
        "code",
    } <= ours and "column_name" not in theirs:  # the test `codes_in_dimension`
        columns = con.execute("select distinct column_name from failing").fetchall()
        codes = [
            f'failing.column_name = {literal(name)} and failing.code = there."{name}"'
            for (name,) in columns
        ]
        same = [f"({' or '.join(codes)})"] if codes else []
    if wanted and same:
        _create(
            con,
            "failing",
            f"select distinct failing.*, {', '.join(wanted)} from failing"
            f" inner join {relation} as there on {' and '.join(same)}",
        )


def _create(con: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    con.execute(f"create or replace temp table {table} as {query}")


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> set[str]:
    """Return the columns of a table or view; none if it does not exist."""
    try:
        found = con.execute(f"select * from {relation} limit 0").description
    except duckdb.CatalogException:
        return set()
    return {name for name, *_ in found or ()}


def _names_release(con: duckdb.DuckDBPyConnection) -> bool:
    return set(_RELEASE) <= _columns(con, "failing")


def _first(con: duckdb.DuckDBPyConnection, number: int, shown: Collection[str]) -> str:
    """Return a failing row as text, with the columns that the rule shows."""
    found = con.execute("select * from failing where failing_row = ?", [number])
    names = [name for name, *_ in found.description or ()]
    cells = dict(zip(names, found.fetchall()[0], strict=True))
    row = in_words({name: value for name, value in cells.items() if name in shown})
    return f", the first: {printable(row)}" if row else ""


def sources_behind(node: str) -> list[str]:
    """Return the sources whose raw tables a seed, model or data test reads."""
    tables = [table.partition(".") for table in raw_tables_behind(node)]
    return sorted({name.partition("__")[0] for schema, _, name in tables if schema == "raw"})


def _try_each_release(
    con: duckdb.DuckDBPyConnection, rule: FailedRule, accepted: Iterable[tuple], ledger: str
) -> Iterator[BlamedRelease]:
    """Yield the releases that make a rule or model fail with an error; without them it must not.

    Each is tried as the only accepted one of its source. ledger: the releases, with the catalog: a
    rule on the candidate's tables names none, and finds them in the candidate.
    """
    releases = sorted({(source, day) for source, day, *_ in accepted})
    for source in sources_behind(rule.node):
        if _error_with(con, rule, ledger, source, None):
            continue  # not this source, or not this source alone
        for day in (day for name, day in releases if name == source):
            if error := _error_with(con, rule, ledger, source, day):
                yield BlamedRelease(source, day, printable(error))


def _error_with(
    con: duckdb.DuckDBPyConnection, rule: FailedRule, ledger: str, source: str, only: date | None
) -> str | None:
    """Evaluate a rule or model with at most one accepted release of a source; return its error.

    Views read the ledger, which is changed temporarily; tables are read through a view.
    """
    con.begin()
    try:
        con.execute(
            f"update {ledger} set status = 'superseded' where source = ?"
            " and status = 'accepted' and release_date is distinct from ?",
            [source, only],
        )
        con.execute(f"create or replace temp table tried as {_limited(con, rule, source, only)}")
    except _ERRORS_OF_ROWS as error:
        return str(error).splitlines()[0]
    finally:
        con.rollback()
    return None


def _limited(
    con: duckdb.DuckDBPyConnection, rule: FailedRule, source: str, only: date | None
) -> str:
    """Return the rule's query on tables with at most one release of a source."""
    query = rule.query
    for parent in manifest()["nodes"][rule.node]["depends_on"].get("nodes", []):
        node = manifest()["nodes"].get(parent)
        if node and set(_RELEASE) <= _columns(con, node["relation_name"]):
            release = f"release_date = date '{only}'" if only else "false"
            con.execute(
                f'create or replace temp view "{node["name"]}" as select * from'
                f" {node['relation_name']} where source is distinct from {literal(source)}"
                f" or {release}"
            )
            query = query.replace(node["relation_name"], f'temp.main."{node["name"]}"')
    return query
