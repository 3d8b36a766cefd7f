"""Mutations of zip archives that hold a comma-separated file."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.corpus.mutation import Expected, Mutation, UnchangedFileError, of_bytes
from tests.corpus.workbooks import _encrypted


def _in_archive(
    change: Callable[[str, bytes], list[tuple[str, bytes]]],
) -> Callable[[Path, Random], None]:
    """An archive with the members that `change` makes of the present one."""

    def apply(content: bytes, random: Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = archive.namelist()
            members = change(name, archive.read(name))
        return _of(members)

    return of_bytes(apply)


def _of(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _inner(mutation: Mutation) -> Mutation:
    """A mutation of the file inside."""

    def apply(path: Path, random: Random) -> None:
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            content = archive.read(name)
        path.write_bytes(content)
        mutation.apply(path, random)
        path.write_bytes(_of([(name, path.read_bytes())]))

    return Mutation(f"{mutation.name}, zipped", apply, mutation.expected, mutation.why)


def _stored_digit(content: bytes, random: Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        stored = bytearray(_of([(name, archive.read(name))], zipfile.ZIP_STORED))
    at = random.choice(list(re.finditer(rb",(\d)", stored))).start(1)
    stored[at] ^= 1
    return bytes(stored)


_LARGE = 300 << 20

ARCHIVES = [
    Mutation(
        "another member beside it",
        _in_archive(lambda name, content: [(name, content), ("readme.txt", b"made up")]),
        Expected.ACCEPTED,
    ),
    Mutation(
        "the archive without compression",
        of_bytes(
            lambda content, random: _of(
                [
                    (n, zipfile.ZipFile(io.BytesIO(content)).read(n))
                    for n in zipfile.ZipFile(io.BytesIO(content)).namelist()
                ],
                zipfile.ZIP_STORED,
            )
        ),
        Expected.ACCEPTED,
    ),
    Mutation("an archive without members", _in_archive(lambda name, content: []), Expected.REFUSED),
    Mutation(
        "two members of the name",
        _in_archive(lambda name, content: [(name, content), (f"2{name}", content)]),
        Expected.REFUSED,
    ),
    Mutation(
        "a member that is a folder",
        _in_archive(lambda name, content: [(f"{name}/", b"")]),
        Expected.REFUSED,
    ),
    Mutation(
        "a member with a path outside",
        _in_archive(lambda name, content: [(f"../../{name}", content)]),
        Expected.REFUSED,
    ),
    Mutation(
        "a member with an absolute path",
        _in_archive(lambda name, content: [(f"/tmp/{name}", content)]),
        Expected.REFUSED,
    ),
    Mutation(
        "an archive in the archive",
        _in_archive(lambda name, content: [(name, _of([(name, content)]))]),
        Expected.REFUSED,
    ),
    Mutation("an empty member", _in_archive(lambda name, content: [(name, b"")]), Expected.REFUSED),
    Mutation(
        "a bomb",
        _in_archive(lambda name, content: [(name, content + b"\n" * _LARGE)]),
        Expected.REFUSED,
    ),
    Mutation("the mark of encryption", of_bytes(_encrypted), Expected.REFUSED),
    Mutation("a digit flipped under its checksum", of_bytes(_stored_digit), Expected.REFUSED),
]


def inner(mutations: list[Mutation], names: tuple[str, ...]) -> list[Mutation]:
    """The chosen mutations, by name, of the file inside."""
    return [_inner(mutation) for mutation in mutations if mutation.name in names]


__all__ = ["ARCHIVES", "UnchangedFileError", "inner"]
