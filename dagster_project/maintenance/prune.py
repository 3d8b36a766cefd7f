"""Removes leftovers: nothing that is current or live, or that the UI shows.

Each kind of leftover has a function that describes and removes it.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb

from dagster_project.base.clock import in_utc, system_clock
from dagster_project.base.durable_files import sync
from dagster_project.base.settings import Settings
from dagster_project.base.sql import literal
from dagster_project.publication.kept_files import (
    kept_id,
    old_publications,
    remove_publication,
)
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench, transaction, write_lock
from dagster_project.workbench.replaced import leftovers, replaced_at, replaced_workbenches

# A workbench is rewritten if at least half of it, and at least this much, is free.
_WORTH_REWRITING_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Leftover:
    """A leftover: its description, and how to remove it."""

    what: str
    remove: Callable[[], object]


# Returns the removable runs before a time, from Dagster's history.
OldRuns = Callable[[datetime], Iterable[Leftover]]


def prune(settings: Settings, old_runs: OldRuns, *, dry_run: bool = False) -> list[str]:
    """Remove leftovers and return their descriptions; with `dry_run`, only describe them.

    Raises BadInput if another run is writing.
    """
    with write_lock(settings):
        removed = []
        for leftover in _leftovers(settings, old_runs):
            if not dry_run:
                leftover.remove()
            removed.append(leftover.what)
        return removed


def _leftovers(settings: Settings, old_runs: OldRuns) -> Iterator[Leftover]:
    before = _now() - timedelta(days=settings.keep_days)
    yield from _files(settings, before)
    if settings.workbench.exists():
        yield from _entries(settings, before)
        yield from _rows(settings, before)
        yield from _free_space(settings)
    yield from old_runs(before)


def _files(settings: Settings, before: datetime) -> Iterator[Leftover]:
    for path in old_publications(settings):
        yield Leftover(
            f"publication {kept_id(path)} ({_size(path)})", partial(remove_publication, path)
        )
    for path in replaced_workbenches(settings):
        if replaced_at(path) < before:
            yield Leftover(f"{path.name} ({_size(path)})", path.unlink)
    if (folder := leftovers(settings)).exists():
        yield Leftover(
            f"leftovers of an interrupted rebuild: {folder}", partial(shutil.rmtree, folder)
        )


_OLD_CANDIDATES = (
    "candidate_id in (select candidate_id from audit.candidates where started_at < $before"
    " and candidate_id <> (select max_by(candidate_id, started_at) from audit.candidates))"
)


def _entries(settings: Settings, before: datetime) -> Iterator[Leftover]:
    """Entries on old candidates; a publication has its own copy of those it depends on."""
    tables = ("gate_results", "builds", "test_results", "candidates")
    with open_workbench(settings) as con:
        counts = {
            table: con.execute(
                f"select count(*) from audit.{table} where {_OLD_CANDIDATES}", {"before": before}
            ).fetchall()[0][0]
            for table in tables
        }

    def remove() -> None:
        with open_workbench(settings) as con, transaction(con):
            for table in tables:
                con.execute(
                    f"delete from audit.{table} where {_OLD_CANDIDATES}", {"before": before}
                )

    if any(counts.values()):
        numbers = ", ".join(f"{count:,} {table}" for table, count in counts.items() if count)
        yield Leftover(f"ledger entries on candidates before {before:%Y-%m-%d}: {numbers}", remove)


def _rows(settings: Settings, before: datetime) -> Iterator[Leftover]:
    """Raw rows of loads that were rejected long ago; their results stay in the ledger."""
    rejected = (
        "exists (select 1 from audit.releases where source = rows._source"
        " and release_date = rows._release and file_name = rows._file"
        " and loaded_at = rows._loaded_at and status = 'rejected' and loaded_at < $before)"
    )

    def remove(table: str) -> None:
        with open_workbench(settings) as con:
            con.execute(f'delete from raw."{table}" as rows where {rejected}', {"before": before})

    with open_workbench(settings) as con:
        there = {
            name
            for (name,) in con.execute(
                "select table_name from duckdb_tables() where schema_name = 'raw'"
            ).fetchall()
        }
        counts = {
            table.name: con.execute(
                f'select count(*) from raw."{table.name}" as rows where {rejected}',
                {"before": before},
            ).fetchall()[0][0]
            for source in all_sources().values()
            for table in source.tables
            if table.name in there
        }
    for table, count in counts.items():
        if count:
            yield Leftover(
                f"{count:,} rows of raw.{table}, rejected before {before:%Y-%m-%d}",
                partial(remove, table),
            )


def _free_space(settings: Settings) -> Iterator[Leftover]:
    """The workbench's free blocks: DuckDB reuses them, but never releases them."""
    with open_workbench(settings) as con:
        con.execute("checkpoint")
        block, total, free = con.execute(
            "select block_size, total_blocks, free_blocks from pragma_database_size()"
        ).fetchall()[0]
    if free * 2 >= total and free * block >= _WORTH_REWRITING_BYTES:
        yield Leftover(
            f"free space within the workbench: {_megabytes(free * block)}",
            partial(_rewrite, settings),
        )


def _rewrite(settings: Settings) -> None:
    fresh = settings.workbench.with_suffix(".duckdb.new")
    fresh.unlink(missing_ok=True)
    with duckdb.connect(settings.workbench, config=settings.duckdb_config) as con:
        con.execute(f"attach {literal(str(fresh))} as fresh")
        con.execute("copy from database workbench to fresh")
        con.execute("detach fresh")
    sync(fresh)
    fresh.replace(settings.workbench)
    sync(settings.warehouse_dir)


def _now() -> datetime:
    return in_utc(system_clock)


def _size(path: Path) -> str:
    return _megabytes(path.stat().st_size)


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MB"
