"""Publishes the candidate.

The ledger decides, not the run: every table of the candidate must have passed its gate, and every
data test must have passed, after it and everything it may be built on was last built. Then the
candidate gets its copy of the ledger, and is closed. From then on it must not change: its tables
are those that the gates saw, its objects those of the project, and its SHA-256 is recorded outside
it. Then it is renamed to a kept publication: from then on it is a publication, and `reconcile`
completes an interrupted one. A hard link to it replaces the published file. Readers that have the
old file open keep it; on Windows, where an open file cannot be replaced, they must close it first.
The downloads are written before, and go live after, the published file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.private_files import public_folder, set_mode
from dagster_project.base.settings import Settings
from dagster_project.base.sql import literal
from dagster_project.ingest.raw_rows import drop_superseded_rows
from dagster_project.publication.catalog import catalog_errors
from dagster_project.publication.eligibility import publication_blockers
from dagster_project.publication.exports import activate_exports, prune_exports, write_exports
from dagster_project.publication.integrity import changed_tables, checksums
from dagster_project.publication.kept_files import (
    Publication,
    activate,
    kept_id,
    kept_publications,
    later_than_kept,
    old_publications,
    publication_id,
    publications_in,
    read_publication,
    remove_publication,
)
from dagster_project.publication.records import file_errors, record_file, recorded_sha256
from dagster_project.publication.requirements import required
from dagster_project.publication.sealed_file import SealedFile
from dagster_project.publication.signature import activate_signature, sign, signing_key
from dagster_project.transform.dbt_runner import manifest
from dagster_project.workbench.builds import base_of, current_candidate
from dagster_project.workbench.checksums import Checksum
from dagster_project.workbench.connection import open_workbench, transaction
from dagster_project.workbench.gate_results import gated_checksums
from dagster_project.workbench.ledger_schema import ledger_time


def publish(settings: Settings, run_id: str) -> Publication:
    """Publish the candidate. Raises BadInput, and publishes nothing, if it may not be published."""
    key = signing_key(settings)
    with open_workbench(settings) as con:
        candidate = current_candidate(con)
        reasons = publication_blockers(settings, con)
        if not candidate or reasons:
            raise _refusal(settings, candidate[0] if candidate else None, reasons)
        candidate_id, fingerprint = candidate
        gated, base = gated_checksums(con, candidate_id), base_of(con, candidate_id)
        published_at = later_than_kept(settings, ledger_time(con))
        publication_id = f"{published_at:%Y%m%dT%H%M%S%f}"[:-3]
        row = [publication_id, published_at, run_id, duckdb.__version__, candidate_id, fingerprint]
    _complete(settings, row, gated)
    sealed = SealedFile.seal(settings.candidate)
    reasons = [*catalog_errors(settings.candidate), *changed_tables(settings, gated)]
    if reasons:
        raise _refusal(settings, candidate_id, reasons)
    sha256 = file_sha256(settings.candidate)
    sealed.raise_if_changed()
    if settings.downloads:
        write_exports(
            settings, settings.candidate, publication_id, sha256, key, in_order=base is None
        )
    kept = settings.publications / f"royalty_flows-{publication_id}.duckdb"
    public_folder(kept.parent)
    settings.readers.may_read(kept.parent)
    record_file(settings, kept, sha256, sealed.state.st_size)
    if key:
        sign(key, settings.candidate, kept, publication_id)
    sealed.rename(kept)
    activate(settings, kept)
    reconcile(settings)
    with open_workbench(settings) as con:
        drop_superseded_rows(con)
    for old in old_publications(settings):
        remove_publication(old)
    prune_exports(settings, {kept_id(kept) for kept in kept_publications(settings)})
    return read_publication(kept)


def _refusal(settings: Settings, candidate_id: str | None, reasons: Sequence[str]) -> BadInput:
    needed = required()
    return BadInput(
        "the candidate may not be published",
        where=candidate_id or str(settings.candidate),
        expected=f"{len(needed.tables)} tables built, their gates and"
        f" {len(needed.tests)} data tests passed, for this candidate",
        found="; ".join(reasons),
        fix="correct the cause, then run the job `build` (or `make run`)",
    )


def reconcile(settings: Settings) -> Path | None:
    """Complete a publication that a crash has interrupted, if any, and return its kept file.

    A kept file of the latest candidate that the ledger does not know goes live. Then the ledger
    gets the published file's own entry, and the downloads go live.
    """
    finished = None
    with open_workbench(settings) as con:
        known = {
            row[0] for row in con.execute("select publication_id from audit.publication").fetchall()
        }
        candidate = current_candidate(con)
        for kept in kept_publications(settings)[:1]:
            interrupted = kept_id(kept) not in {*known, publication_id(settings)}
            is_intact = interrupted and recorded_sha256(kept, con) and not file_errors(kept, con)
            if candidate and is_intact and publications_in(kept)[-1][4] == candidate[0]:
                activate(settings, kept)
                finished = kept
        if live := publication_id(settings):
            activate_exports(settings, live)
            for kept in kept_publications(settings):
                if kept_id(kept) == live:
                    activate_signature(settings, kept)
        if settings.warehouse.exists():
            for row in publications_in(settings.warehouse):
                if row[0] not in known:
                    con.execute("insert into audit.publication values (?, ?, ?, ?, ?, ?)", row)
    return finished


# The tables that a user needs to trust a publication. `$candidate` is its id.
_LEDGER_QUERIES = {
    "releases": "select * exclude (modified_at) from workbench.audit.releases"
    " where status <> 'loaded' order by source, release_date, file_name, loaded_at",
    "gate_results": "select * from workbench.audit.gate_results"
    " where candidate_id = $candidate or candidate_id is null order by checked_at, table_name",
    "publication": "select * from workbench.audit.publication order by published_at",
    "decisions": "select * from workbench.audit.decisions order by decided_at",
}


def _complete(settings: Settings, publication: list[Any], gated: Mapping[str, Checksum]) -> None:
    """Write the ledger with its comments into the candidate, and close it.

    gated: what the gates saw, which the file must still hold.
    """
    comments = ledger_comments()
    set_mode(settings.candidate.parent, 0o700)  # no other user can replace the verified file
    with duckdb.connect(settings.candidate, config=settings.duckdb_config) as con:
        con.execute(f"attach {literal(str(settings.workbench))} as workbench (read_only)")
        con.execute("set enable_external_access = false")
        with transaction(con):
            for table, template in _LEDGER_QUERIES.items():
                query = template.replace("$candidate", literal(publication[4]))
                con.execute(f"create or replace table audit.{table} as {query}")
                _comment(con, table, comments[table])
            con.execute("insert into audit.publication values (?, ?, ?, ?, ?, ?)", publication)
            con.execute("drop table if exists audit.candidate")
            _record_checksums(con, gated, comments["checksums"])
        con.execute("detach workbench")
        con.execute("checkpoint")


def _record_checksums(
    con: duckdb.DuckDBPyConnection,
    gated: Mapping[str, Checksum],
    comment: tuple[str, Mapping[str, str]],
) -> None:
    """Write row count and checksum of every table, so that any client can verify its copy."""
    con.execute("drop table if exists audit.checksums")
    sums = [(table, seen.row_count, seen.checksum) for table, seen in gated.items()]
    sums += checksums(con, schema="audit")
    con.execute(
        "create table audit.checksums (table_name varchar, row_count bigint, checksum varchar)"
    )
    con.executemany("insert into audit.checksums values (?, ?, ?)", sums)
    _comment(con, "checksums", comment)


def _comment(
    con: duckdb.DuckDBPyConnection, table: str, comment: tuple[str, Mapping[str, str]]
) -> None:
    text, columns = comment
    con.execute(f"comment on table audit.{table} is {literal(text)}")
    for name in con.table(f"audit.{table}").columns:
        con.execute(f'comment on column audit.{table}."{name}" is {literal(columns[name])}')


def ledger_comments() -> dict[str, tuple[str, dict[str, str]]]:
    """Return the descriptions of the ledger's tables and columns, from the dbt project."""
    return {
        source["name"]: (
            source["description"],
            {name: column["description"] for name, column in source["columns"].items()},
        )
        for source in manifest()["sources"].values()
        if source["schema"] == "audit"
    }
