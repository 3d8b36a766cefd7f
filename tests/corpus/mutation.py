"""What a mutation is: one way to break a landing file, and how a case of it must end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from pathlib import Path
from random import Random
from typing import Any


class Expected(Enum):
    """How a case must end. None may crash, hang, or touch the current rows."""

    ACCEPTED = auto()  # with the numbers of the file as it was: what is changed means nothing
    REFUSED = auto()
    SAFE = auto()  # either of the two
    UNDETECTABLE = auto()  # either, or other numbers: the changed file is a good one


class UnchangedFileError(Exception):
    """The mutation has nothing to change in this file."""


@dataclass(frozen=True)
class Origin:
    """A good file, in its release."""

    source: str
    release: date
    files: tuple[Path, ...]
    file: Path

    def __str__(self) -> str:
        return f"{self.source} {self.release} {self.file.name}"


@dataclass(frozen=True)
class Mutation:
    """`apply` changes the file in place, or raises UnchangedFileError.

    why: for those that may end in other numbers, why no check can notice.
    """

    name: str
    apply: Callable[[Path, Random], None]
    expected: Expected
    why: str = ""


def always(new: Any) -> Callable[..., Any]:
    """A function that ignores its arguments and returns the same value."""
    return lambda *given: new


def of_bytes(change: Callable[[bytes, Random], bytes]) -> Callable[[Path, Random], None]:
    """A mutation's `apply` of a function from bytes to bytes."""

    def apply(path: Path, random: Random) -> None:
        before = path.read_bytes()
        after = change(before, random)
        if after == before:
            raise UnchangedFileError
        path.write_bytes(after)

    return apply
