"""Sources: their raw tables, layouts and releases."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.base.clock import Clock, latest_date, system_clock
from dagster_project.base.errors import BadInput
from dagster_project.base.limits import LIMITS, ReleaseLimits
from dagster_project.layouts import Layout, RawTable
from dagster_project.sources.release_calendar import Calendar

if TYPE_CHECKING:  # it takes as long to import as DuckDB, and each release is read by a new process
    from dagster_project.base.settings import Settings

_ALIKE = 0.5  # similarity above which a file counts as a corrupt one of a layout

# File names are passed to DuckDB's reader, which takes some characters as a pattern. Marks are
# those that letters of a name from macOS are composed with.
PLAIN_NAME = re.compile(r"[\w][\w\u0300-\u036f .,()+%#&@=!'-]*")

# What file managers, browsers, office programs and servers put beside a file: locks, marks of where
# it was downloaded from, thumbnails, incomplete downloads. Names that begin with a dot are hidden.
_OF_OTHER_PROGRAMS = re.compile(
    r"~\$.*|~.*\.tmp|.*~|.*Zone\.Identifier(:\$DATA)?|.*:AFP_AfpInfo(:\$DATA)?|Thumbs\.db(:.*)?"
    r"|ehthumbs\.db|desktop\.ini|Icon\r|__MACOSX|@eaDir|#recycle|#snapshot|\$RECYCLE\.BIN"
    r"|System Volume Information|lost\+found"
    r"|.*\.(crdownload|part|partial|download|opdownload|!ut|tmp"
    r"|temp|swp|swo|lock|lnk|aria2)",
    re.IGNORECASE | re.DOTALL,
)


def is_of_other_programs(name: str) -> bool:
    """Whether a name is hidden, or one that programs leave beside files."""
    return name.startswith(".") or _OF_OTHER_PROGRAMS.fullmatch(name) is not None


def recorded_name(path: Path) -> str:
    """Return a file's name as the ledger has it: composed (NFC), as macOS may not write it."""
    return unicodedata.normalize("NFC", path.name)


@dataclass(frozen=True)
class Release:
    """One vintage of a source: its publication date and its raw files, sorted by name.

    ignored: names of visible files in its folder that other programs have put there.
    """

    source: str
    date: date
    files: tuple[Path, ...]
    ignored: tuple[str, ...] = field(default=(), compare=False)

    @property
    def label(self) -> str:
        """`<source> <date>`, as every message names a release."""
        return f"{self.source} {self.date}"

    @property
    def name(self) -> str:
        """`<source>/<date>`, as commands name a release."""
        return f"{self.source}/{self.date}"


@dataclass(frozen=True)
class Source:
    """One dataset of one publisher.

    required: raw tables that each release must fill. Files of the others only describe the data: an
        unreadable one is reported, but does not reject the release.
    companions: pattern of the names of such files, including those that no layout reads.
    calendar: when the publisher releases; None if unknown.
    packaged: for data in an installed package, a function that returns its one release; newer ones
        may be in the landing folder, as for all other sources.
    manual_instructions: how a person gets the files, if no fetcher does; shown in the UI.
    all_items: layouts that keep every item of the file; `layouts` keep only intellectual property.
    """

    name: str
    tables: tuple[RawTable, ...]
    layouts: tuple[Layout, ...]
    required: tuple[RawTable, ...]
    packaged: Callable[[], Release] | None = None
    manual_instructions: str | None = None
    calendar: Calendar | None = None
    companions: re.Pattern[str] | None = None
    all_items: tuple[Layout, ...] = ()

    def configured(self, settings: "Settings") -> "Source":
        """Return the source with the layouts selected by the settings."""
        if self.all_items and settings.batis_all_items:
            return replace(self, layouts=self.all_items)
        return self

    def is_companion(self, path: Path) -> bool:
        """Whether a file only describes the data; never if it looks like a corrupt data file."""

        def likeness(required: bool) -> float:
            layouts = (one for one in self.layouts if (one.table in self.required) == required)
            return max((layout.likeness(path) for layout in layouts), default=0.0)

        named = self.companions is not None and self.companions.search(path.name) is not None
        return (named or likeness(False) > _ALIKE) and likeness(True) <= _ALIKE


def landed_releases(
    source: str, landing: Path, clock: Clock = system_clock, limits: ReleaseLimits = LIMITS
) -> tuple[list[Release], list[BadInput]]:
    """Return a source's releases in the landing folder, oldest first, and the problems.

    Hidden folders are ignored, as copy tools use them for incomplete files, and those of other
    programs.
    """
    releases, problems = [], []
    home = landing / source
    with os.scandir(home) as found:
        names = sorted(
            entry.name
            for entry in found
            if _is_folder(entry) and not is_of_other_programs(entry.name)
        )
    for folder in (home / name for name in names):
        try:
            listed = refuse_oversized(source, folder, limits)
            releases.append(landed_release(source, folder, clock, listed))
        except BadInput as problem:
            problems.append(problem)
        except OSError as error:
            problems.append(_unreadable(f"{source}/{folder.name}", str(error)))
    return releases, problems


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether this is a folder, or a link that leads nowhere, which is then refused by name."""
    try:
        return entry.is_dir()
    except OSError:
        return True


def is_date(name: str) -> bool:
    """Whether a name is a date in the format of release folders; ISO 8601 has others too."""
    try:
        return str(date.fromisoformat(name)) == name
    except ValueError:
        return False


def refuse_oversized(source: str, folder: Path, limits: ReleaseLimits) -> list[os.DirEntry[str]]:
    """List a release folder. Raises BadInput if it has too many files, or too large ones.

    Lists no more of it than the limit.
    """
    where = f"{source}/{folder.name}"
    with os.scandir(folder) as found:
        entries = list(islice(found, limits.files + 1))
    if len(entries) > limits.files:
        raise _too_large(where, f"{limits.files:,} files (ROYALTY_RELEASE_FILES)", "more files")
    size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    if size > limits.bytes:
        limit = f"{limits.bytes:,} bytes (ROYALTY_RELEASE_BYTES)"
        raise _too_large(where, limit, f"{size:,} bytes")
    return entries


def _too_large(where: str, limit: str, found: str) -> BadInput:
    return BadInput(
        "a release that is too large",
        where=where,
        expected=f"at most {limit}",
        found=found,
        fix="remove files that are not the publisher's; if all are, raise the limit",
    )


def landed_release(
    source: str,
    folder: Path,
    clock: Clock = system_clock,
    listed: Iterable[os.DirEntry[str]] | None = None,
) -> Release:
    """Return the release in a folder. Raises BadInput if it cannot be one.

    listed: the folder's entries, if it has been listed.
    """
    where = f"{source}/{folder.name}"
    if not is_date(folder.name):
        raise BadInput(
            "a release folder whose name is not a date",
            where=where,
            expected="the publication date, as YYYY-MM-DD",
            found=folder.name,
            fix="rename the folder",
        )
    released = date.fromisoformat(folder.name)
    if released > latest_date(clock):
        raise BadInput(
            "a release dated in the future",
            where=where,
            expected=f"a publication date up to {latest_date(clock)}",
            found=f"{released}; it is {clock():%Y-%m-%d %H:%M %Z} by the machine's clock",
            fix="if that is wrong, set the machine's clock; otherwise rename the folder to the day"
            " on which the publisher released it, and if it was loaded under this date,"
            f" `make forget RELEASE={where} REASON=...`",
        )
    if folder.is_symlink():
        raise _no_file(where, "a link", "a folder of files")
    if listed is None:
        with os.scandir(folder) as found:
            listed = list(found)
    visible = sorted((entry for entry in listed if entry.name[0] != "."), key=lambda e: e.name)
    entries = [entry for entry in visible if not is_of_other_programs(entry.name)]
    ignored = tuple(entry.name for entry in visible if entry not in entries)
    if not entries:
        raise BadInput(
            "a release without files",
            where=where,
            expected="at least one raw file",
            found="only files of other programs: " + ", ".join(ignored)
            if ignored
            else "an empty folder",
            fix="put the files there, or remove the folder",
        )
    for file in entries:
        if not PLAIN_NAME.fullmatch(unicodedata.normalize("NFC", file.name)):
            raise BadInput(
                "a file name with unsupported characters",
                where=where,
                expected="letters, digits, spaces and . , ( ) + - _ % # & @ = ! '",
                found=repr(file.name),
                fix="rename the file; remove it if it is not the publisher's",
            )
        if file.is_symlink() or not file.is_file():
            kind = "a link" if file.is_symlink() else "a folder, a pipe or a device"
            raise _no_file(f"{where}/{file.name}", kind, "only raw files")
        if not os.access(file, os.R_OK):
            raise _unreadable(f"{where}/{file.name}", "permission denied")
    files = tuple(folder / entry.name for entry in entries)
    if len({recorded_name(path) for path in files}) < len(files):
        raise BadInput(
            "two files of one name",
            where=where,
            expected="names that differ in more than how their letters are composed",
            found=", ".join(ascii(path.name) for path in files),
            fix="remove one of them: a copy from macOS may write é as e with an accent",
        )
    return Release(source, released, files, ignored)


def _no_file(where: str, found: str, expected: str) -> BadInput:
    """Return the error for a file that is not regular: a link may point to any file of the machine.

    Unknown contents are quoted in messages, and messages are published with the ledger.
    """
    return BadInput(
        "not a regular file",
        where=where,
        expected=expected,
        found=found,
        fix="replace it by the file itself (a hard link is fine), or remove it",
    )


def _unreadable(where: str, found: str) -> BadInput:
    return BadInput(
        "a file or folder that cannot be read",
        where=where,
        expected="a readable one",
        found=found,
        fix="give the user who runs the warehouse permission to read it",
    )
