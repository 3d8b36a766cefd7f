"""What is published, which releases are in force, and what is rejected and why."""

from collections.abc import Iterator

import duckdb

from dagster_project.publication.publish import kept_id, kept_publications, publication_id
from dagster_project.settings import Settings


def status(settings: Settings) -> Iterator[str]:
    """Yield the lines of a report for the person on duty; opens every file read-only."""
    yield f"warehouse  {settings.warehouse}"
    present = publication_id(settings)
    kept = ", ".join(kept_id(path) for path in kept_publications(settings))
    if present or settings.warehouse.exists():
        yield f"published  {present or 'a file that is none of those kept'}"
    else:
        yield "published  nothing yet: run `make run`"
    yield f"kept       {kept or 'none'}"
    if not settings.workbench.exists():
        return
    try:
        with duckdb.connect(settings.workbench, read_only=True) as con:
            releases = con.execute(
                """
                select source, release_date, status, min(reason), sum(rows_kept), max(loaded_at)
                from audit.releases where status <> 'superseded'
                group by all order by source, release_date
                """
            ).fetchall()
    except duckdb.IOException:
        yield "releases   a run is writing: ask again when it has ended"
        return
    yield ""
    yield f"releases   {len(releases)}"
    for source, day, state, reason, rows_kept, loaded_at in releases:
        line = f"  {state:<9} {source}/{day}  {rows_kept:,} records, {loaded_at:%Y-%m-%d %H:%M}"
        yield line + (f"\n            {reason}" if reason else "")
