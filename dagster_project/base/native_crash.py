"""Records that native code has ended this process: DuckDB, Arrow and others can abort it.

Python's faulthandler writes to a file on the signals of such a fault, in whatever thread, and not
when a process is killed from outside (SIGKILL, SIGTERM). So the file that a dead run has left says
whether native code is at fault, and what was being done. One fault leaves none: the overflow of a
stack other than the main thread's.
"""

import faulthandler
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

FAULTS = frozenset(
    {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV}
)  # those of faulthandler


@dataclass(frozen=True)
class Doing:
    """What a run was doing: in words; and the release (source, date) that it was about, if any."""

    what: str
    source: str = ""
    release: str = ""


@contextmanager
def crash_recorded(path: Path, doing: Doing) -> Iterator[None]:
    """Have a fault of native code within the block leave its record in a file.

    The caller has a lock on the file, and private files.
    """
    before = faulthandler.is_enabled()
    with path.open("w", encoding="utf-8") as record:
        record.write(json.dumps(asdict(doing)) + "\n")
        record.flush()
        faulthandler.enable(record, all_threads=False)
        try:
            yield
        finally:
            faulthandler.disable()
            if before and sys.__stderr__:
                faulthandler.enable(sys.__stderr__)
            path.unlink(missing_ok=True)


def recorded_crash(path: Path) -> tuple[Doing, str] | None:
    """Return what native code has interrupted, and how it ended; None if nothing did."""
    try:
        first, *trace = path.read_text("utf-8", "replace").splitlines()
        doing = Doing(**json.loads(first))
        how = next(line for line in trace if line.strip())
    except (FileNotFoundError, ValueError, TypeError, StopIteration):
        return None
    return doing, how.removeprefix("Fatal Python error: ")
