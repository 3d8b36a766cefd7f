"""Unpacking members of a zip archive within limits: nothing outside the folder, no bombs."""

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

# Real members compress to a fifth or a twentieth of their size; the World Bank's wide CSV, mostly
# empty cells, to a fiftieth.
MAX_RATIO = 200
_ENCRYPTED = 0x1

# `zipfile` raises these for an archive that is damaged or uses an unknown compression.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class UnsafeArchive(ValueError):
    """An archive that must not be unpacked."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(found)
        self.expected = expected


def base_name(member: ZipInfo) -> str:
    """Return a member's file name without its folders."""
    return PurePosixPath(member.filename).name


def refuse_outside(members: Sequence[ZipInfo]) -> None:
    """Raise UnsafeArchive if a member, or the target of its link, is outside the folder."""
    for member in members:
        path = PurePosixPath(member.filename)
        outside = path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", member.filename)
        if outside or stat.S_ISLNK(member.external_attr >> 16):
            raise UnsafeArchive("members inside their folder", f"member {member.filename!r}")


def unpack(
    archive: ZipFile, targets: dict[Path, ZipInfo], *, max_bytes: int, small_bytes: int = 1 << 20
) -> None:
    """Unpack members to files that do not exist yet. Raises UnsafeArchive, or one of DAMAGED.

    max_bytes: limit on their total unpacked size.
    small_bytes: members up to this size may have any compression ratio.
    """
    total = sum(member.file_size for member in targets.values())
    if total > max_bytes:
        raise UnsafeArchive(f"at most {max_bytes:,} bytes", f"{total:,} bytes unpacked")
    for member in targets.values():
        if member.flag_bits & _ENCRYPTED:
            raise UnsafeArchive("members without a password", f"{member.filename!r} encrypted")
        if member.file_size > max(small_bytes, MAX_RATIO * member.compress_size):
            raise UnsafeArchive(
                f"members packed to no less than 1/{MAX_RATIO}",
                f"{member.filename!r}: {member.compress_size:,} bytes for {member.file_size:,}",
            )
    for target, member in targets.items():
        # `zipfile` stops at the size that the archive states; a wrong checksum is an error.
        with archive.open(member) as packed, target.open("xb") as file:
            shutil.copyfileobj(packed, file)
