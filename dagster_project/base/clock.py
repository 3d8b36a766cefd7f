"""The clock that is passed to code that needs the time; tests pass a fixed one."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]  # the current time, with its zone


def system_clock() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.now(UTC)


def in_utc(clock: Clock) -> datetime:
    """Return the time in UTC, without a zone, as the ledger keeps it."""
    return clock().astimezone(UTC).replace(tzinfo=None)


def latest_date(clock: Clock) -> date:
    """Return the last date that a publication of now can have: tomorrow's, in UTC.

    Publishers are up to 14 hours ahead of UTC, whatever the machine's time zone.
    """
    return clock().astimezone(UTC).date() + timedelta(days=1)


def date_in(timezone: str, clock: Clock) -> date:
    """Return the date in a time zone, by its IANA name."""
    return clock().astimezone(ZoneInfo(timezone)).date()
