"""The tables of the ledger (schema `audit` of the workbench), and its clock.

The ledger records loads, checks, builds, publications and decisions, with one module each. Their
functions take an open connection and leave transactions to the caller. Times are UTC.
"""

from datetime import datetime, timedelta
from importlib.metadata import version

import duckdb

from dagster_project.base.clock import in_utc, system_clock
from dagster_project.base.errors import BadInput

# Of the tables below. Raise it with each change after which code of the version before would
# misread the ledger: that code then refuses it.
LEDGER_VERSION = 1

_DDL = """
create schema if not exists raw;
create schema if not exists audit;
create table if not exists audit.ledger_version (
    version integer not null,
    project_version varchar not null
);
create table if not exists audit.releases (
    source varchar not null,
    release_date date not null,
    file_name varchar not null,
    sha256 varchar not null,
    bytes bigint not null,
    rows_read bigint not null,
    rows_kept bigint not null,
    status varchar not null check (status in ('loaded', 'accepted', 'rejected', 'superseded')),
    reason varchar,
    loaded_at timestamp not null,
    modified_at timestamp not null
);
create table if not exists audit.gate_results (
    gate varchar not null,
    table_name varchar not null,
    release_date date,
    run_id varchar not null,
    success boolean not null,
    expectations integer not null,
    failed integer not null,
    details varchar not null,
    checked_at timestamp not null,
    candidate_id varchar,
    made_from varchar,
    carried_from varchar
);
alter table audit.gate_results add column if not exists row_count bigint;
alter table audit.gate_results add column if not exists checksum varchar;
alter table audit.gate_results add column if not exists suite_sha256 varchar;
create table if not exists audit.candidates (
    candidate_id varchar not null,
    run_id varchar not null,
    fingerprint varchar not null,
    started_at timestamp not null,
    project varchar,
    base varchar
);
create table if not exists audit.builds (
    candidate_id varchar not null,
    layer varchar not null,
    node varchar not null,
    table_name varchar,
    run_id varchar not null,
    started_at timestamp not null,
    finished_at timestamp,
    made_from varchar,
    made_by varchar,
    contents varchar,
    inputs varchar
);
create table if not exists audit.test_results (
    candidate_id varchar not null,
    test varchar not null,
    test_name varchar not null,
    layer varchar not null,
    run_id varchar not null,
    success boolean not null,
    message varchar,
    checked_at timestamp not null
);
create table if not exists audit.publication (
    publication_id varchar not null,
    published_at timestamp not null,
    run_id varchar not null,
    duckdb_version varchar not null,
    candidate_id varchar not null,
    fingerprint varchar not null
);
create table if not exists audit.published_files (
    publication_id varchar not null,
    sha256 varchar not null,
    bytes bigint not null
);
create table if not exists audit.decisions (
    decided_at timestamp not null,
    decision varchar not null,
    subject varchar not null,
    reason varchar not null
);
-- Added since a ledger of an earlier version was made.
alter table audit.candidates add column if not exists project varchar;
alter table audit.candidates add column if not exists base varchar;
alter table audit.builds add column if not exists contents varchar;
alter table audit.builds add column if not exists inputs varchar;
alter table audit.gate_results add column if not exists made_from varchar;
alter table audit.gate_results add column if not exists carried_from varchar;
-- Replaced by `builds`.
drop table if exists audit.materializations;
drop table if exists audit.layer_builds;
drop table if exists audit.node_builds;
"""

TICK = timedelta(milliseconds=1)  # ids of publications are times in milliseconds

_TIMES = {
    "releases": ("loaded_at",),
    "gate_results": ("checked_at",),
    "candidates": ("started_at",),
    "builds": ("started_at", "finished_at"),
    "test_results": ("checked_at",),
    "publication": ("published_at",),
    "decisions": ("decided_at",),
}


def create_ledger(con: duckdb.DuckDBPyConnection) -> bool:
    """Create missing tables of the ledger, and drop those of earlier versions.

    Their entries are not needed: a new version of the project builds everything again. Returns
    whether there was a ledger of an earlier version. Raises BadInput if a newer one wrote it.
    """
    found = refuse_newer_ledger(con)
    con.execute(_DDL)
    if found == LEDGER_VERSION:
        return False
    con.execute("delete from audit.ledger_version")
    con.execute(
        "insert into audit.ledger_version values (?, ?)",
        [LEDGER_VERSION, version("royalty-flow-warehouse")],
    )
    return found is not None


def refuse_newer_ledger(con: duckdb.DuckDBPyConnection) -> int | None:
    """Return the version of the ledger, 0 before versions were recorded, None if there is none.

    Raises BadInput if a newer version of the project wrote it.
    """
    try:
        found, project = con.execute(
            "select coalesce(max(version), 0),"
            " coalesce(max_by(project_version, version), 'unknown')"
            " from audit.ledger_version"
        ).fetchall()[0]
    except duckdb.CatalogException:  # no such table: an earlier version wrote the ledger, or none
        is_there = "select 1 from duckdb_tables() where schema_name = 'audit'"
        here = " and table_name = 'releases' and database_name = current_database()"
        return 0 if con.execute(is_there + here).fetchone() else None
    if found > LEDGER_VERSION:
        where = con.execute(
            "select path from duckdb_databases() where database_name = current_database()"
        ).fetchall()[0][0]
        raise BadInput(
            "a ledger of a newer version of the project",
            where=str(where),
            expected=f"ledger version {LEDGER_VERSION} or earlier; this is version"
            f" {version('royalty-flow-warehouse')} of the project",
            found=f"ledger version {found}, written by version {project}",
            fix=f"install version {project} or later; or restore the backup of the warehouse folder"
            " that was made before the upgrade (docs/deploying.md)",
        )
    return int(found)


def ledger_time(con: duckdb.DuckDBPyConnection) -> datetime:
    """Return the current time in UTC, without a zone; later than any that the ledger holds.

    The latest entry is the one that counts, and a clock that jumps backwards must not reorder
    entries: until it has caught up, the time is a tick after the latest entry.
    """
    columns = [f"(select max({name}) from audit.{t})" for t in _TIMES for name in _TIMES[t]]
    row = con.execute(f"select greatest({', '.join(columns)})").fetchone()
    latest = row[0] if row else None
    clock = in_utc(system_clock)
    return clock if latest is None or clock > latest else latest + TICK
