"""What is published, which releases are in force, and what is rejected and why."""

from collections.abc import Iterator

import duckdb

from dagster_project.publication.publish import kept_publications, publication_id
from dagster_project.settings import Settings


def status(settings: Settings) -> Iterator[str]:
    """Yield the lines of a report for the person on duty; opens every file read-only."""
    yield f"warehouse  {settings.warehouse}"
    if settings.warehouse.exists():
        with duckdb.connect(settings.warehouse, read_only=True) as con:
            rows = con.execute(
                "select publication_id, published_at from audit.publication"
                " order by published_at desc limit 1"
            ).fetchall()
        yield f"published  {rows[0][0]}, at {rows[0][1]:%Y-%m-%d %H:%M:%S} UTC"
        kept = [publication_id(path) for path in kept_publications(settings)]
        yield f"kept       {', '.join(kept)}"
    else:
        yield "published  nothing yet: run `make run`"
    if not settings.workbench.exists():
        return
    with duckdb.connect(settings.workbench, read_only=True) as con:
        releases = con.execute(
            """
            select source, release_date, status, min(reason), sum(rows_kept), max(loaded_at)
            from audit.releases where status <> 'superseded'
            group by all order by source, release_date
            """
        ).fetchall()
    yield ""
    yield f"releases   {len(releases)}"
    for source, day, state, reason, rows_kept, loaded_at in releases:
        line = f"  {state:<9} {source}/{day}  {rows_kept:,} records, {loaded_at:%Y-%m-%d %H:%M}"
        yield line + (f"\n            {reason}" if reason else "")
