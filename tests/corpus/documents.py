"""Mutations of JSON documents."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.corpus.mutation import Expected, Mutation, UnchangedFileError, always, of_bytes

_NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?")


_NO_NUMBERS: list[Any] = [
    "1.234,5",
    "1,5",
    "12,34",
    "1 234",
    "(5)",
    "12%",
    "NaN",
    float("nan"),
    float("inf"),
    "1e308",
    1e308,
    10**400,
    "9" * 400,
    True,
    "five",
    {},
    [],
    "\ud800",
    "5\x00",
    "\u0665",
    "0x1F",
    "1_000",
    "1,,000",
    ",5",
    "5,",
]


# A string of a JSON document, or the text between its values: numbers keep their digits.
_BETWEEN = re.compile(rb'("(?:[^"\\]|\\.)*")|([\[\]{},])')


def _spread(found: re.Match[bytes]) -> bytes:
    return found[1] or b"\n        " + found[2]


def _encoded(encoding: str) -> Callable[[Path, Random], None]:
    return of_bytes(lambda content, random: content.decode().encode(encoding))


def _in_document(change: Callable[[Any, Random], Any]) -> Callable[[Path, Random], None]:
    def apply(content: bytes, random: Random) -> bytes:
        document = json.loads(content)
        return json.dumps(change(document, random)).encode()

    return of_bytes(apply)


def _records(document: Any) -> list[Any]:
    """The list of records: of the lists of objects the longest; of series, their values."""
    lists: list[list[Any]] = []

    def walk(node: Any) -> None:
        if isinstance(node, list):
            lists.append(node)
        for child in node.values() if isinstance(node, dict) else node:
            if isinstance(child, dict | list):
                walk(child)

    walk(document)
    objects = [found for found in lists if found and all(isinstance(item, dict) for item in found)]
    return max(objects, key=lambda found: len(json.dumps(found)))


def _holders(document: Any) -> list[tuple[Any, Any]]:
    """Container and key of each figure."""
    found: list[tuple[Any, Any]] = []
    for record in _records(document):
        if "DataValue" in record:
            found.append((record, "DataValue"))
        elif isinstance(record.get("VALUES"), dict):
            found += [
                (record["VALUES"]["VALUES"], at) for at in range(len(record["VALUES"]["VALUES"]))
            ]
        elif "value" in record:
            found.append((record, "value"))
    return [(holder, key) for holder, key in found if _NUMBER.fullmatch(str(holder[key]))]


def _figure_becomes(
    new: Callable[[Any], Any], every: bool = False
) -> Callable[[Path, Random], None]:
    def change(document: Any, random: Random) -> Any:
        holders = _holders(document)
        if not holders:
            raise UnchangedFileError
        for holder, key in holders if every else [random.choice(holders)]:
            holder[key] = new(holder[key])
        return document

    return _in_document(change)


def _record(change: Callable[[list[Any], int, Random], None]) -> Callable[[Path, Random], None]:
    def apply(document: Any, random: Random) -> Any:
        records = _records(document)
        change(records, random.randrange(len(records)), random)
        return document

    return _in_document(apply)


def _renamed(records: list[Any], at: int, random: Random) -> None:
    key = random.choice(sorted(records[at]))
    records[at]["renamed"] = records[at].pop(key)


def _lost(records: list[Any], at: int, random: Random) -> None:
    records[at].pop(random.choice(sorted(records[at])))


def _nested(records: list[Any], at: int, random: Random) -> None:
    key = random.choice(sorted(records[at]))
    records[at][key] = {"value": [records[at][key]]}


def _twice_the_key(content: bytes, random: Random) -> bytes:
    """A second member of the same name, with another figure, after the first."""
    members = list(re.finditer(rb'"(DataValue|value)": ?("?)(\d[\d.,]*)("?)', content))
    if not members:
        raise UnchangedFileError
    member = random.choice(members)
    return (
        content[: member.end()]
        + b', "%s": %s7%s' % (member[1], member[2], member[4])
        + content[member.end() :]
    )


def _shorter_values(document: Any, random: Random) -> Any:
    for record in _records(document):
        if isinstance(record.get("VALUES"), dict):
            record["VALUES"]["VALUES"].pop()
            return document
    raise UnchangedFileError


def _shifted_values(document: Any, random: Random) -> Any:
    for record in _records(document):
        if isinstance(record.get("VALUES"), dict):
            values = record["VALUES"]["VALUES"]
            values.insert(0, values.pop())
            return document
    raise UnchangedFileError


DOCUMENTS = [
    Mutation(
        "JSON on one line", _in_document(lambda document, random: document), Expected.ACCEPTED
    ),
    Mutation(
        "JSON with indents",
        of_bytes(lambda content, random: _BETWEEN.sub(_spread, content)),
        Expected.ACCEPTED,
    ),
    Mutation(
        "JSON without escapes",
        of_bytes(
            lambda content, random: json.dumps(json.loads(content), ensure_ascii=False).encode()
        ),
        Expected.ACCEPTED,
    ),
    Mutation(
        "JSON with a byte order mark",
        of_bytes(lambda content, random: b"\xef\xbb\xbf" + content),
        Expected.SAFE,
    ),
    *(
        Mutation(
            f"JSON in {encoding}",
            _encoded(encoding),
            Expected.REFUSED,
        )
        for encoding in ("utf-16", "utf-16-be", "utf-32")
    ),
    Mutation(
        "two documents", of_bytes(lambda content, random: content + content), Expected.REFUSED
    ),
    Mutation(
        "something after the document",
        of_bytes(lambda content, random: content + b"</html>"),
        Expected.REFUSED,
    ),
    Mutation(
        "a comment", of_bytes(lambda content, random: b"// made up\n" + content), Expected.REFUSED
    ),
    Mutation(
        "a list around it", _in_document(lambda document, random: [document]), Expected.REFUSED
    ),
    Mutation(
        "an object around it",
        _in_document(lambda document, random: {"data": document}),
        Expected.REFUSED,
    ),
    Mutation("no records", _record(lambda records, at, random: records.clear()), Expected.REFUSED),
    Mutation(
        "a record twice",
        _record(lambda records, at, random: records.append(records[at])),
        Expected.REFUSED,
    ),
    Mutation(
        "a record that is null",
        _record(lambda records, at, random: records.__setitem__(at, None)),
        Expected.REFUSED,
    ),
    Mutation(
        "a record that is a list",
        _record(lambda records, at, random: records.__setitem__(at, [1])),
        Expected.REFUSED,
    ),
    Mutation("a member renamed", _record(_renamed), Expected.SAFE),
    Mutation("a member lost", _record(_lost), Expected.SAFE),
    Mutation("a member that is an object", _record(_nested), Expected.SAFE),
    Mutation("a member twice", of_bytes(_twice_the_key), Expected.REFUSED),
    Mutation("a value less than dates", _in_document(_shorter_values), Expected.REFUSED),
    Mutation(
        "the values shifted by one date",
        _in_document(_shifted_values),
        Expected.UNDETECTABLE,
        "another good series; mart_revisions shows it",
    ),
    Mutation(
        "a record less",
        _record(lambda records, at, random: records.pop(at)),
        Expected.UNDETECTABLE,
        "a release may state a figure less",
    ),
    *(
        Mutation(
            f"a figure that is {str(new)[:12]!r} ({type(new).__name__})",
            _figure_becomes(always(new)),
            Expected.SAFE,
        )
        for new in _NO_NUMBERS
    ),
    Mutation(
        "all figures localised",
        _figure_becomes(lambda figure: f"{str(figure).replace(',', '.')},5", every=True),
        Expected.REFUSED,
    ),
    Mutation(
        "all figures NaN",
        _figure_becomes(lambda figure: float("nan"), every=True),
        Expected.REFUSED,
    ),
    Mutation(
        "a figure that is a text or a number",
        _figure_becomes(
            lambda figure: (
                int(figure) if isinstance(figure, str) and figure.isdigit() else str(figure)
            )
        ),
        Expected.ACCEPTED,
    ),
    Mutation(
        "a figure with another digit",
        _figure_becomes(lambda figure: type(figure)("7" + str(figure)[1:])),
        Expected.UNDETECTABLE,
        "another good figure; mart_revisions shows it",
    ),
    Mutation(
        "a figure that is null",
        _figure_becomes(lambda figure: None),
        Expected.UNDETECTABLE,
        "the source writes what is missing so",
    ),
]
