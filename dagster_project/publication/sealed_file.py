"""A file that must not change between its verification and its new name."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from dagster_project.base.durable_files import sync
from dagster_project.base.errors import BadInput


@dataclass(frozen=True)
class SealedFile:
    """A file and its state. A write or a rename changes its state, whoever sets its times."""

    path: Path
    state: os.stat_result

    @classmethod
    def seal(cls, path: Path) -> "SealedFile":
        """Flush a file to disk and note its state.

        Raises BadInput if others could change it: another name, a link, another owner, a log that
        DuckDB would apply to it.
        """
        sync(path)
        state = path.lstat()
        problems = {
            "it is not a regular file": not stat.S_ISREG(state.st_mode),
            "it has another name": state.st_nlink != 1,
            "it belongs to another user": os.name == "posix" and state.st_uid != os.geteuid(),
            "it has a write-ahead log": write_ahead_log(path).exists(),
        }
        for problem, is_found in problems.items():
            if is_found:
                raise _changed(path, problem)
        return cls(path, state)

    def raise_if_changed(self) -> None:
        """Raise BadInput if the file is another one, or was written to or renamed since."""
        now = self.path.lstat()
        if _times(now) != _times(self.state) or now.st_ctime_ns != self.state.st_ctime_ns:
            raise _changed(self.path, "it was replaced or written to after it had been verified")

    def rename(self, target: Path) -> None:
        """Rename the file. Raises BadInput, and removes the new name, if it is another one now."""
        self.raise_if_changed()
        self.path.rename(target)
        if _times(target.lstat()) != _times(self.state):
            target.unlink()
            raise _changed(self.path, "it was replaced or written to while it was renamed")


def write_ahead_log(path: Path) -> Path:
    """Return the log that DuckDB applies to a file when it opens it."""
    return Path(f"{path}.wal")


def _times(state: os.stat_result) -> tuple[int, ...]:
    """Return what a rename leaves as it is."""
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def _changed(path: Path, found: str) -> BadInput:
    return BadInput(
        "the candidate may not be published",
        where=str(path),
        expected="the file that was verified, which only this program can write",
        found=found,
        fix="find out what writes into that folder, then run `make run`",
    )
