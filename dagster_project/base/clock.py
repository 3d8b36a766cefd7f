"""The time, as what depends on it gets it: a function, which a test replaces by a fixed time."""

from collections.abc import Callable
from datetime import UTC, date, datetime

Clock = Callable[[], datetime]  # the current time, with its zone


def system_clock() -> datetime:
    """Return the time of the machine, in UTC."""
    return datetime.now(UTC)


def in_utc(clock: Clock) -> datetime:
    """Return the time in UTC, without a zone, as the ledger keeps it."""
    return clock().astimezone(UTC).replace(tzinfo=None)


def local_date(clock: Clock) -> date:
    """Return the date where the machine is."""
    return clock().astimezone().date()
