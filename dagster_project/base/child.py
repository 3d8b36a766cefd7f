"""Work in a child process, for code that can end its process: parsers and renderers in C and Rust.

The child is a fresh interpreter (a fork would inherit the threads' locks), limited in memory and
time, with none of the parent's secrets in its environment. It reports in lines of JSON and ends
with its parent. Only Linux limits its memory.

A child does one work after another, because to start one takes longer than to read a small file. It
is replaced after anything but a success, and when it has kept much memory of its works.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Self

from dagster_project.base.errors import printable

Report = Callable[[dict[str, Any]], None]

# All that an interpreter and its libraries need; keys, passwords and tokens are not passed.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
_START = "import sys; sys.path[:] = {path!r}; from dagster_project.base import child; child.serve()"
_LAST_WORDS = 2000  # bytes of the child's last messages
_KEPT_PART = 8  # of its limit of memory: a child that has kept more is replaced


@dataclass(frozen=True)
class ChildLimits:
    """What a child may use: bytes of memory, and seconds."""

    memory: int
    seconds: float


class ChildDied(Exception):
    """The child ended without a result: by a signal, by its limits, or by an exit.

    code: its exit code, or minus the signal; None if it was ended. is_late: by its limit of time.
    """

    def __init__(self, how: str, code: int | None = None, *, is_late: bool = False) -> None:
        super().__init__(how)
        self.code, self.is_late = code, is_late


class ChildNotStarted(Exception):
    """The child could not start its work: the installation is at fault, not the work."""


class Child:
    """A child process for one work after another; started by the first, ended with the block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def has_worked(self) -> bool:
        """Whether there is a process that has done a work already."""
        return self._process is not None

    def close(self) -> None:
        """End the process, if there is one; the next work starts another."""
        if not (self._process and self._messages):
            return
        # Its standard input stays open until here: a child whose parent dies reads its end.
        self._process.kill()
        for pipe in filter(None, (self._process.stdout, self._process.stdin)):
            with suppress(BrokenPipeError):
                pipe.close()
        self._process.wait()
        self._messages.close()
        self._process = self._messages = None

    def run(
        self,
        work: Callable[[Any, Report], None],
        request: Any,
        *,
        folder: Path,
        limits: ChildLimits,
        report: Report,
        keep_open: Sequence[int] = (),
    ) -> None:
        """Call `work(request, report)` in the child, and `report` with each mapping it reports.

        work: a function of a module. request: pickled; the reports are JSON, as a broken child
        could write anything. folder: for the work's temporary files. keep_open: descriptors that
        the child inherits; it then does this work alone.

        Raises ChildDied, ChildNotStarted, and OSError if no process can be started.
        """
        if keep_open:
            self.close()
        was_idle = self._process is not None
        ordered = pickle.dumps((limits.memory, str(folder), pickle.dumps((work, request))))
        try:
            self._run(ordered, limits, report, keep_open)
        except ChildNotStarted:
            if not was_idle:
                raise
            self._run(ordered, limits, report, keep_open)  # the old one had died meanwhile
        if keep_open:
            self.close()

    def _run(
        self, ordered: bytes, limits: ChildLimits, report: Report, keep_open: Sequence[int]
    ) -> None:
        """Run one work; the child is ended after anything but a success."""
        late = threading.Event()
        started = finished = goes_on = False
        if not self._process:
            self._process, self._messages = _start(keep_open)
        child, messages = self._process, self._messages
        assert child.stdin
        assert child.stdout
        assert messages
        said_before = os.fstat(messages.fileno()).st_size

        def end() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(limits.seconds, end)
        timer.daemon = True
        timer.start()
        try:
            with suppress(BrokenPipeError):
                child.stdin.write(ordered)
                child.stdin.flush()
            for line in child.stdout:
                match _parsed(line):
                    case "started":
                        started = True
                    case {"finished": goes_on}:
                        finished = True
                        break
                    case found:
                        report(found)
            if finished:
                return
            child.wait()
            if late.is_set():
                raise ChildDied(f"no end after {limits.seconds:g} seconds", is_late=True)
            how = f"{_end_of(child.returncode)}{_last_words(messages, said_before)}"
            raise ChildDied(how, child.returncode) if started else ChildNotStarted(how)
        finally:
            timer.cancel()
            if late.is_set() or not goes_on:
                self.close()


def run_in_child(
    work: Callable[[Any, Report], None],
    request: Any,
    *,
    folder: Path,
    limits: ChildLimits,
    report: Report,
) -> None:
    """Do one work in a child of its own, as `Child.run` does."""
    with Child() as child:
        child.run(work, request, folder=folder, limits=limits, report=report)


def _start(keep_open: Sequence[int]) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Start a child; return it with the file of its messages."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # Without it, numeric libraries reserve memory for a thread per core.
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    with ExitStack() as unused:
        messages = unused.enter_context(tempfile.TemporaryFile())
        child = subprocess.Popen(
            [sys.executable, "-c", _START.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            env=environment,
            pass_fds=keep_open,
            start_new_session=True,
        )
        unused.pop_all()
    return child, messages


def _parsed(line: bytes) -> Any:
    """Return a report. Raises ChildDied for anything else: the child's memory is damaged."""
    try:
        return json.loads(line)
    except ValueError as error:  # also: not UTF-8
        raise ChildDied(f"no report, but {printable(repr(line[:100]))}") from error


def _end_of(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


def _last_words(messages: IO[bytes], since: int) -> str:
    """Return the last line that a child printed, such as an allocator's; not of a stack's trace."""
    # At a position of its own: the child writes at the file's.
    size = os.fstat(messages.fileno()).st_size
    begin = max(since, size - _LAST_WORDS)
    lines = os.pread(messages.fileno(), size - begin, begin).decode("utf-8", "replace").splitlines()
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

    orders: SimpleQueue[tuple[int, str, bytes]] = SimpleQueue()
    threading.Thread(target=_receive, args=[orders], daemon=True).start()
    try:
        held_at_first = 0
        while True:
            memory, folder, ordered = orders.get()
            tempfile.tempdir = os.environ["TMPDIR"] = folder
            work, request = pickle.loads(ordered)
            held_at_first = held_at_first or _held()
            # What earlier works have left is not counted against this one.
            _limit_memory(memory + _held() - held_at_first)
            report("started")
            work(request, report)
            del work, request, ordered
            goes_on = _held() - held_at_first < memory // _KEPT_PART
            report({"finished": goes_on})
            if not goes_on:
                break
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # nothing of the work is left to be closed, whatever its libraries would do


def _receive(orders: "SimpleQueue[tuple[int, str, bytes]]") -> None:
    """Pass on what the parent orders, and end this process with it."""
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            orders.put(pickle.load(sys.stdin.buffer))
    os._exit(1)


def _held() -> int:
    """Return the bytes of memory that this process has reserved, as RLIMIT_DATA counts them."""
    with suppress(OSError):
        pages = Path("/proc/self/statm").read_text("ascii").split()[5]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _limit_memory(memory: int) -> None:
    if os.name != "posix":
        return
    import resource

    # Not the address space: engines reserve a lot that they never use.
    for kind, size in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        limit = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(kind, (limit, hard))
