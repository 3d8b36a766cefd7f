"""Mutations of any file: its bytes, and its replacements."""

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.corpus.mutation import Expected, Mutation, UnchangedFileError, always, of_bytes

_HTML = b"<!DOCTYPE html>\n<html><title>503 Service Unavailable</title><body>sorry</body></html>\n"
_FLIPPED = "a flipped byte within a figure or a name gives another good figure or name"


def _flipped(times: int) -> Callable[[bytes, Random], bytes]:
    def change(content: bytes, random: Random) -> bytes:
        changed = bytearray(content)
        for _ in range(times):
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
        return bytes(changed)

    return change


def _cut_at(part: float) -> Callable[[bytes, Random], bytes]:
    return lambda content, random: content[: int(len(content) * part)]


def _zipped(content: bytes, random: Random) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("file", content)
    return buffer.getvalue()


def _in_place(put: Callable[[Path], object]) -> Callable[[Path, Random], None]:
    def apply(path: Path, random: Random) -> None:
        content = path.read_bytes()
        path.unlink()
        put(path)
        if path.is_file() and path.read_bytes() == content:
            raise UnchangedFileError

    return apply


def _renamed(name: str) -> Callable[[Path, Random], None]:
    def apply(path: Path, random: Random) -> None:
        os.rename(path, os.fsencode(path.parent) + b"/" + name.encode("utf-8", "surrogateescape"))

    return apply


def _copied(path: Path, random: Random) -> None:
    path.with_name(f"{path.stem} (1){path.suffix}").write_bytes(path.read_bytes())


def _zeros_within(content: bytes, random: Random) -> bytes:
    """A block of a file that was never written, as a crash leaves it behind."""
    start = random.randrange(max(1, len(content) - 16))
    length = max(16, len(content) // 10)
    return content[:start] + bytes(len(content[start : start + length])) + content[start + length :]


BYTES = [
    *(
        Mutation(
            f"{times} bits flipped", of_bytes(_flipped(times)), Expected.UNDETECTABLE, _FLIPPED
        )
        for times in (1, 20)
    ),
    *(
        Mutation(f"cut off at {part:.0%}", of_bytes(_cut_at(part)), Expected.REFUSED)
        for part in (0.01, 0.25, 0.5, 0.9, 0.99)
    ),
    Mutation("last byte lost", of_bytes(lambda content, random: content[:-1]), Expected.SAFE),
    Mutation("a block of zeros", of_bytes(_zeros_within), Expected.SAFE),
]

REPLACED = [
    Mutation(name, of_bytes(always(new)), Expected.REFUSED)
    for name, new in {
        "empty": b"",
        "one blank": b" ",
        "an HTML page": _HTML,
        "a PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n",
        "only zeros": bytes(4096),
        "JSON that is an error": b'{"error": {"code": 503, "message": "sorry"}}',
        "JSON that is null": b"null",
        "deep JSON": b"[" * 200_000,
        "a deep JSON object": b'{"a":' * 200_000,
        "an encrypted workbook": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(8000),
        "an empty archive": b"PK\x05\x06" + bytes(18),
        "an XML entity bomb": b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaa">'
        + b"".join(b'<!ENTITY a%d "&a%d;&a%d;">' % (i, i - 1, i - 1) for i in range(1, 40))
        + b"]><b>&a39;</b>",
    }.items()
]
REPLACED += [
    Mutation(
        "random bytes", of_bytes(lambda content, random: random.randbytes(4096)), Expected.REFUSED
    ),
    Mutation(
        "gzip of it", of_bytes(lambda content, random: gzip.compress(content)), Expected.REFUSED
    ),
    Mutation("zip of it", of_bytes(_zipped), Expected.REFUSED),
    Mutation(
        "zip of a zip of it",
        of_bytes(lambda content, random: _zipped(_zipped(content, random), random)),
        Expected.REFUSED,
    ),
]

FOLDER = [
    Mutation("a folder in its place", _in_place(Path.mkdir), Expected.REFUSED),
    Mutation("a pipe in its place", _in_place(os.mkfifo), Expected.REFUSED),
    Mutation("a link to nothing", _in_place(lambda p: p.symlink_to("gone")), Expected.REFUSED),
    Mutation("a link to itself", _in_place(lambda p: p.symlink_to(p.name)), Expected.REFUSED),
    Mutation(
        "a link to /dev/zero", _in_place(lambda p: p.symlink_to("/dev/zero")), Expected.REFUSED
    ),
    Mutation(
        "a link to /etc/passwd", _in_place(lambda p: p.symlink_to("/etc/passwd")), Expected.REFUSED
    ),
    Mutation("the file twice", _copied, Expected.REFUSED),
    *(
        Mutation(f"a file called {name!r}", _renamed(name), Expected.REFUSED)
        for name in (
            "'; drop table raw.x; --.csv",
            'a" or 1=1.csv',
            "a\nb.csv",
            "*.csv",
            "[a-z].csv",
            "a\udcff.csv",
            "\u202egpj.csv",
            "\x1b[31m.csv",
            "$(id).csv",
        )
    ),
]
