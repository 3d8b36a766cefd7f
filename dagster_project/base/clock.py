"""The clock that is passed to code that needs the time; tests pass a fixed one."""

from collections.abc import Callable
from datetime import UTC, date, datetime

Clock = Callable[[], datetime]  # the current time, with its zone


def system_clock() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.now(UTC)


def in_utc(clock: Clock) -> datetime:
    """Return the time in UTC, without a zone, as the ledger keeps it."""
    return clock().astimezone(UTC).replace(tzinfo=None)


def local_date(clock: Clock) -> date:
    """Return the date in the machine's time zone."""
    return clock().astimezone().date()
