"""The error for bad input, and its subclass for conditions that pass by themselves."""

from collections.abc import Mapping
from typing import Any

_LONGEST = 20_000  # characters per part: a cell can hold megabytes


def printable(text: str) -> str:
    """Return a text on one line, with everything escaped that cannot be printed or stored.

    File names and cells come from outside: line ends and control characters would forge lines of
    a log, and half a surrogate pair cannot be written anywhere. They are escaped as Python does.
    """
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text):,} characters)"
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def in_words(row: Mapping[str, Any]) -> str:
    """Return a table's row as text: its columns that are not empty, with their values."""
    return ", ".join(
        f"{name.lstrip('_')} {value!r}" if isinstance(value, str) else f"{name.lstrip('_')} {value}"
        for name, value in row.items()
        if value is not None
    )


class BadInput(Exception):
    """Input that the warehouse cannot use.

    The message says what is wrong, where, what was expected, what was found and what to do, in that
    order, so that a reader of the log or the ledger needs nothing else.
    """

    def __init__(self, what: str, *, where: str, expected: str, found: str, fix: str) -> None:
        self.what, self.where, self.expected, self.found, self.fix = map(
            printable, (what, where, expected, found, fix)
        )
        super().__init__(
            f"{self.what} | where: {self.where} | expected: {self.expected} | found: {self.found}"
            f" | what to do: {self.fix}"
        )


class TryLater(BadInput):
    """A temporary condition: an outage, a lock held by another process. Steps retry."""
