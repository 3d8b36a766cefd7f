"""Work in a child process, for code that can end its process: parsers and renderers in C and Rust.

The child is a fresh interpreter (a fork would inherit the threads' locks), limited in memory and
time, with none of the parent's secrets in its environment. It reports in lines of JSON and ends
with its parent. Only Linux limits its memory.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.base.errors import printable

Report = Callable[[dict[str, Any]], None]

# All that an interpreter and its libraries need; keys, passwords and tokens are not passed.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
_START = "import sys; sys.path[:] = {path!r}; from dagster_project.base import child; child.serve()"
_LAST_WORDS = 2000  # bytes of the child's last messages


@dataclass(frozen=True)
class ChildLimits:
    """What a child may use: bytes of memory, and seconds."""

    memory: int
    seconds: float


class ChildDied(Exception):
    """The child ended without a result: by a signal, by its limits, or by an exit."""


class ChildNotStarted(Exception):
    """The child could not start its work: the installation is at fault, not the work."""


def run_in_child(
    work: Callable[[Any, Report], None],
    request: Any,
    *,
    folder: Path,
    limits: ChildLimits,
    report: Report,
    keep_open: Sequence[int] = (),
) -> None:
    """Call `work(request, report)` in a child, and `report` with each mapping that it reports.

    work: a function of a module. request: pickled; the reports are JSON, as a broken child could
    write anything. folder: for the child's temporary files and messages. keep_open: descriptors
    that the child inherits.

    Raises ChildDied, ChildNotStarted, and OSError if no process can be started.
    """
    messages = folder / "messages.txt"
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # Without it, numeric libraries reserve memory for a thread per core.
    environment |= {"TMPDIR": str(folder), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with messages.open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, "-c", _START.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            pass_fds=keep_open,
            start_new_session=True,
        )
    late = threading.Event()

    def end() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(limits.seconds, end)
    timer.daemon = True
    timer.start()
    started = finished = False
    assert child.stdin
    assert child.stdout
    try:
        with suppress(BrokenPipeError):
            child.stdin.write(pickle.dumps((limits.memory, work, request)))
            child.stdin.flush()
        for line in child.stdout:
            match json.loads(line):
                case "started":
                    started = True
                case "finished":
                    finished = True
                case found:
                    report(found)
        child.wait()
    finally:
        # Its standard input stays open until here: a child whose parent dies reads its end.
        timer.cancel()
        child.kill()  # if it has not ended
        child.stdout.close()
        with suppress(BrokenPipeError):
            child.stdin.close()
        child.wait()
    if finished and child.returncode == 0:
        return
    if late.is_set():
        raise ChildDied(f"no end after {limits.seconds:g} seconds")
    how = f"{_end_of(child.returncode)}{_last_words(messages)}"
    raise ChildDied(how) if started else ChildNotStarted(how)


def _end_of(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


def _last_words(messages: Path) -> str:
    """Return the last line that a child printed, such as an allocator's; not of a stack's trace."""
    with messages.open("rb") as file:
        file.seek(max(0, messages.stat().st_size - _LAST_WORDS))
        lines = file.read().decode("utf-8", "replace").splitlines()
    lines = [line for line in lines if line[:1].isalnum()]
    return f": {printable(lines[-1])}" if lines else ""


def serve() -> None:
    """The child's side."""
    # Libraries may print: their output must not mix with the reports.
    reports = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    lock = threading.Lock()

    def report(found: object) -> None:
        with lock:
            reports.write(json.dumps(found) + "\n")

    memory, work, request = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory(memory)
    report("started")
    work(request, report)
    report("finished")
    os._exit(0)  # nothing of the work is left to be closed, whatever its libraries would do


def _end_with_parent() -> None:
    """End this process when its standard input closes."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _limit_memory(memory: int) -> None:
    if os.name != "posix":
        return
    import resource

    # Not the address space: engines reserve a lot that they never use.
    for kind, size in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        limit = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(kind, (limit, limit))
