"""One schedule per source that can be fetched, on its publisher's calendar."""

from collections.abc import Iterable

import dagster as dg

from dagster_project.defs.fetch import fetch_key
from dagster_project.sources.source import Source


def fetch_schedules(sources: Iterable[Source], *, running: bool) -> list[dg.ScheduleDefinition]:
    """Return the schedules. They only fetch; the sensor `landing` loads new releases.

    running: whether they are on by default.
    """
    status = dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.ScheduleDefinition(
            name=f"fetch_{source.name}",
            target=[fetch_key(source.name)],
            cron_schedule=source.calendar.poll_cron,
            execution_timezone=source.calendar.timezone,
            default_status=status,
            description=f"Fetches {source.name} if there is a new release, in the season in which"
            " one is expected.",
        )
        for source in sources
        if source.calendar and source.calendar.poll_cron
    ]
