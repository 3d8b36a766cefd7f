"""One schedule a source that can be fetched, on its publisher's calendar (`Source.calendar`)."""

from collections.abc import Iterable

import dagster as dg

from dagster_project.defs.fetch import fetch_key
from dagster_project.sources.source import Source


def fetch_schedules(sources: Iterable[Source], *, running: bool) -> list[dg.ScheduleDefinition]:
    """Return the schedules; what they fetch lands, and the sensor `landing` takes it up.

    running: whether they are on until someone switches them in the UI.
    """
    status = dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.ScheduleDefinition(
            name=f"fetch_{source.name}",
            target=[fetch_key(source.name)],
            cron_schedule=source.calendar.poll_cron,
            execution_timezone=source.calendar.timezone,
            default_status=status,
            description=f"Asks the publisher of {source.name} for a new release, in the season in"
            " which one comes.",
        )
        for source in sources
        if source.calendar and source.calendar.poll_cron
    ]
