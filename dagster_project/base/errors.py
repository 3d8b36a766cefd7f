"""The one error that bad input ends in, and its kind that passes by itself."""

from collections.abc import Mapping
from typing import Any

_LONGEST = 20_000  # characters of a part: a cell can have megabytes


def printable(text: str) -> str:
    """Return a text on one line, in which everything can be printed and stored.

    File names and cells come from outside: line ends and control characters would forge lines of
    a log, and half a surrogate pair cannot be written anywhere. They are escaped as in Python.
    """
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text):,} characters)"
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def in_words(row: Mapping[str, Any]) -> str:
    """Return a row of a table in words: its columns that are not empty, with their values."""
    return ", ".join(
        f"{name.lstrip('_')} {value!r}" if isinstance(value, str) else f"{name.lstrip('_')} {value}"
        for name, value in row.items()
        if value is not None
    )


class BadInput(Exception):
    """Something that was handed to the warehouse cannot be used.

    The message names what is wrong, where, what was expected, what was found and what to do, in
    that order, so that the person who reads it in a log or in the ledger needs nothing else.
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
    """What passes by itself: an outage, a lock that another process holds. Steps try again."""
