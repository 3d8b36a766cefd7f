"""The error for bad input, and its subclass for conditions that pass by themselves."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_LONGEST = 20_000  # characters per part: a cell can hold megabytes
_CONTINUED = "\n    | "


def printable(text: str) -> str:
    """Return a text on one line, with everything escaped that cannot be printed or stored.

    Every text from outside (names of files and folders, cells, what publishers and libraries say)
    goes through here before it reaches a terminal, a log, Markdown, a page or a message. Line ends
    and control characters would forge lines, right-to-left marks turn them around, and half a
    surrogate pair (a name that is not UTF-8) cannot be written anywhere. All are escaped as Python
    does.
    """
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text):,} characters)"
    return _escaped(text)


def printable_text(text: str, line_end: str = _CONTINUED) -> str:
    """Return a text of several lines, each as `printable` does.

    A line after the first is marked as such: nothing that the text quotes can pass for a line of
    its own. line_end: "\\n" where the reader sees anyway where the text ends.
    """
    marked = line_end[1:]  # a line that is marked already is not marked twice
    return line_end.join(printable(line.removeprefix(marked)) for line in text.split("\n"))


def printable_html(value: T) -> T:
    """Return a text that goes into a page: its characters as `printable`, its spaces as they are.

    Right-to-left marks would turn the text around them. Other values are returned unchanged.
    """
    if not isinstance(value, str) or value.isprintable():
        return value
    return type(value)(_escaped(value, keep="\n\t\N{NO-BREAK SPACE}"))


def in_markdown(text: str) -> str:
    """Return a text on one line that Markdown shows as it is."""
    return re.sub(r"[\\`*_{}\[\]()<>#+!|~-]", r"\\\g<0>", printable(text))


def _escaped(text: str, keep: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter in keep
        else letter.encode("unicode_escape").decode()
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
