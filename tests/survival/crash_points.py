"""Ways for a run to die: at a chosen point of the code, or after some processor time.

A run is a fork of this process, which has imported everything: it costs what it does, and no more.
Nothing in the product knows of it. A chosen point is a function of the product, found by its name
in the module that calls it; entering or leaving it, the child kills itself.
"""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")


def die() -> None:
    """End this process as a power failure would: nothing is closed or logged."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Point:
    """A function of the product, `<module>:<name>`, and whether the crash comes on leaving it.

    about: only calls with this text in one of their arguments count. call: the n-th of them and
    those after it.
    """

    function: str
    leaving: bool = False
    about: str = ""
    call: int = 1

    def __str__(self) -> str:
        return f"{'leaving' if self.leaving else 'entering'} {self.function} {self.about}".strip()

    def watch(self, meet: Callable[[], None] = die) -> None:
        """Have `meet` called when this process gets to the point."""
        module_name, _, name = self.function.partition(":")
        module = import_module(module_name)
        original = getattr(module, name)
        calls = count(1)

        def trap(*args: Any, **options: Any) -> Any:
            counts = any(self.about in str(argument) for argument in ("", *args))
            if not counts or next(calls) < self.call:
                return original(*args, **options)
            if not self.leaving:
                meet()
            result = original(*args, **options)
            if self.leaving:
                meet()
            return result

        setattr(module, name, trap)


@dataclass(frozen=True)
class After:
    """A kill from outside after so many seconds of processor time, at the latest at a point."""

    seconds: float
    at_latest: Point | None = None

    def __str__(self) -> str:
        return f"after {self.seconds:.2f} s"


Death = Point | After
KILLED, ENDED = "killed", "ended"


class RunFailedError(Exception):
    """A run that was not killed and failed; the message is its output."""


def in_child(
    work: Callable[[], object], log: Path, variables: dict[str, str], death: Death | None = None
) -> str:
    """Do the work in a fork of this process. Returns KILLED or ENDED; raises RunFailedError."""
    child = os.fork()
    if child == 0:
        _become(work, log, variables, death)
    if isinstance(death, After):
        while (status := os.waitpid(child, os.WNOHANG))[0] == 0:
            if _seconds_on_processor(child) >= death.seconds:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.005)
    else:
        status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status[1])
    if code == -signal.SIGKILL and death:
        return KILLED
    if code != 0:
        raise RunFailedError(f"exit code {code}\n{log.read_text('utf-8', 'replace')[-3000:]}")
    return ENDED


def result_of(work: Callable[[], Any], log: Path, variables: dict[str, str]) -> Any:
    """Do the work in a fork of this process and return its result, which JSON can hold.

    A process that has opened DuckDB has threads, and a fork of it would lack them.
    """
    answer = log.with_suffix(".json")
    in_child(lambda: answer.write_text(json.dumps(work())), log, variables)
    return json.loads(answer.read_text())


def _become(
    work: Callable[[], object], log: Path, variables: dict[str, str], death: Death | None
) -> None:
    try:
        os.environ.update(variables)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        sys.stdout = sys.stderr = os.fdopen(descriptor, "w", buffering=1)  # pytest has its own
        point = death.at_latest if isinstance(death, After) else death
        if point:
            point.watch()
        work()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)
    os._exit(0)


def _seconds_on_processor(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
