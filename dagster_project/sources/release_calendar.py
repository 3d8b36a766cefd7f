"""Release calendars, from which schedules and freshness in the UI are made."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Calendar:
    """A publisher's release calendar, in the publisher's time zone. Crons have five fields.

    timezone: IANA name of the zone that both crons are in.
    due: when a release must have been loaded at the latest; some slack after the usual day.
    within: how long before such a moment it may have been loaded; at most the time between two.
    ask: when to ask for it, throughout the season in which it comes: publishers move the day, and
        asking again costs them one short answer. None where no asset fetches the source.
    """

    timezone: str
    deadline_cron: str
    freshness_window: timedelta
    poll_cron: str | None = None
