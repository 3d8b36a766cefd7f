"""One schedule a source that can be fetched, on its publisher's calendar (`Source.calendar`)."""

from collections.abc import Iterable

import dagster as dg

from dagster_project.base.settings import Settings
from dagster_project.defs.fetch import fetch_key
from dagster_project.sources.source import Source


def default_status() -> tuple[dg.DefaultScheduleStatus, dg.DefaultSensorStatus]:
    """Whether schedules and sensor are on before anybody has switched them in the UI."""
    if Settings().automation:
        return dg.DefaultScheduleStatus.RUNNING, dg.DefaultSensorStatus.RUNNING
    return dg.DefaultScheduleStatus.STOPPED, dg.DefaultSensorStatus.STOPPED


def fetch_schedules(sources: Iterable[Source]) -> list[dg.ScheduleDefinition]:
    """Return the schedules; what they fetch lands, and the sensor `landing` takes it up."""
    return [
        dg.ScheduleDefinition(
            name=f"fetch_{source.name}",
            target=[fetch_key(source.name)],
            cron_schedule=source.calendar.poll_cron,
            execution_timezone=source.calendar.timezone,
            default_status=default_status()[0],
            description=f"Asks the publisher of {source.name} for a new release, in the season in"
            " which one comes.",
        )
        for source in sources
        if source.calendar and source.calendar.poll_cron
    ]
