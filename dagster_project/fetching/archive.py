"""Unpacking a downloaded zip archive within limits: nothing outside of the folder, no bombs."""

import re
import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dagster_project.base.errors import BadInput

MAX_MEMBERS = 50
MAX_RATIO = 200  # the World Bank's wide CSV, mostly empty cells, packs to about a fiftieth
_SMALL = 1 << 20  # a ratio says nothing of a small file
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Unpacking:
    """What to take out of an archive: members whose file name matches, up to so many bytes."""

    wanted: re.Pattern[str]
    max_bytes: int


def unzip(archive: Path, where: str, folder: Path, unpacking: Unpacking) -> list[Path]:
    """Unpack the wanted members into `folder`, without their directories. Raises BadInput.

    Members that are not wanted are left alone, but an archive with any member that is unsafe is
    refused whole.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _checked(opened, where, unpacking)
            return [_extract(opened, member, folder) for member in members]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadInput(
            "a damaged archive",
            where=where,
            expected="a zip archive that can be unpacked",
            found=str(error),
            fix="fetch it again; if it lasts, tell the publisher",
        ) from None


def _checked(opened: zipfile.ZipFile, where: str, unpacking: Unpacking) -> list[zipfile.ZipInfo]:
    infos = opened.infolist()
    if len(infos) > MAX_MEMBERS:
        raise _unsafe(where, f"at most {MAX_MEMBERS} members", f"{len(infos):,} members")
    for info in infos:
        path = PurePosixPath(info.filename)
        outside = path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", info.filename)
        if outside or stat.S_ISLNK(info.external_attr >> 16):
            raise _unsafe(where, "members inside of their folder", f"member {info.filename!r}")
    wanted = [
        info
        for info in infos
        if not info.is_dir() and unpacking.wanted.fullmatch(PurePosixPath(info.filename).name)
    ]
    names = [PurePosixPath(info.filename).name for info in wanted]
    if not wanted or len(set(names)) < len(names):
        raise BadInput(
            "an archive without the expected files",
            where=where,
            expected=f"members called {unpacking.wanted.pattern}, each once",
            found=", ".join(repr(info.filename) for info in infos) or "no members",
            fix="look at what the publisher serves now, and mend the source's fetcher",
        )
    total = sum(info.file_size for info in wanted)
    if total > unpacking.max_bytes:
        raise _unsafe(where, f"at most {unpacking.max_bytes:,} bytes", f"{total:,} bytes unpacked")
    for info in wanted:
        if info.flag_bits & _ENCRYPTED:
            raise _unsafe(where, "members without a password", f"{info.filename!r} encrypted")
        if info.file_size > max(_SMALL, MAX_RATIO * info.compress_size):
            raise _unsafe(
                where,
                f"members packed to no less than 1/{MAX_RATIO}",
                f"{info.filename!r}: {info.compress_size:,} bytes for {info.file_size:,}",
            )
    return wanted


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> Path:
    """Unpack a member. `zipfile` stops at the announced size; a wrong checksum is an error."""
    target = folder / PurePosixPath(info.filename).name
    with opened.open(info) as member, target.open("xb") as file:
        shutil.copyfileobj(member, file)
    return target


def _unsafe(where: str, expected: str, found: str) -> BadInput:
    return BadInput(
        "an archive that is not safe to unpack",
        where=where,
        expected=expected,
        found=found,
        fix="do not unpack it by hand; look at what the publisher serves, and tell the publisher",
    )
