"""Unpacks the wanted members of a downloaded zip archive."""

import re
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from dagster_project.base.errors import BadInput
from dagster_project.base.safe_zip import DAMAGED, UnsafeArchive, base_name, refuse_outside, unpack

MAX_MEMBERS = 50


@dataclass(frozen=True)
class MemberFilter:
    """Selects members of an archive by file name, with a limit on their total size."""

    wanted: re.Pattern[str]
    max_bytes: int


def unzip(archive: Path, where: str, folder: Path, member_filter: MemberFilter) -> list[Path]:
    """Unpack the wanted members into `folder`, without their directories. Raises BadInput.

    Other members are ignored, but an archive with any unsafe member is refused.
    """
    try:
        with ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > MAX_MEMBERS:
                raise UnsafeArchive(f"at most {MAX_MEMBERS} members", f"{len(members):,} members")
            refuse_outside(members)
            targets = {
                folder / base_name(member): member
                for member in _wanted(members, where, member_filter.wanted)
            }
            unpack(opened, targets, max_bytes=member_filter.max_bytes)
            return list(targets)
    except UnsafeArchive as problem:
        raise BadInput(
            "an archive that is not safe to unpack",
            where=where,
            expected=problem.expected,
            found=str(problem),
            fix="do not unpack it by hand; check the publisher's site, and report it to the"
            " publisher",
        ) from None
    except DAMAGED as error:
        raise BadInput(
            "a damaged archive",
            where=where,
            expected="a zip archive that can be unpacked",
            found=str(error),
            fix="fetch it again; if that does not help, report it to the publisher",
        ) from None


def _wanted(members: list[ZipInfo], where: str, wanted: re.Pattern[str]) -> list[ZipInfo]:
    found = [info for info in members if not info.is_dir() and wanted.fullmatch(base_name(info))]
    if not found or len({base_name(info) for info in found}) < len(found):
        raise BadInput(
            "an archive without the expected files",
            where=where,
            expected=f"members called {wanted.pattern}, each once",
            found=", ".join(repr(info.filename) for info in members) or "no members",
            fix="check the publisher's site, and correct the source's fetcher",
        )
    return found
