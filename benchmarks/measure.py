"""One process and all it starts, measured: wall time, CPU time, peak memory of the whole tree."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import psutil

_EVERY_SECONDS = 0.05


@dataclass(frozen=True)
class Run:
    """wall and cpu in seconds (all processes, user and system), peak in bytes, exit code, output."""

    wall: float
    cpu: float
    peak: int
    code: int
    output: str


def measured(
    command: Sequence[str], environment: Mapping[str, str], allowed: Sequence[int] = (0,)
) -> Run:
    """Run a command to its end. Raises RuntimeError, with its output, unless its code is allowed."""
    with tempfile.TemporaryFile() as printed:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=printed, stderr=subprocess.STDOUT
        )
        ended, seen = Event(), [0]
        watch = Thread(target=_watch, args=(process.pid, ended, seen))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watch.join()
        printed.seek(0)
        output = printed.read().decode(errors="replace")
    if process.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}\n{output}")
    # Not `usage.ru_maxrss`: it starts at this process's own peak when it forked.
    return Run(wall, usage.ru_utime + usage.ru_stime, seen[0], process.returncode, output)


def _watch(pid: int, ended: Event, seen: list[int]) -> None:
    """Keep the largest sum of the resident memory of a process and its descendants."""
    while not ended.wait(_EVERY_SECONDS):
        try:
            root = psutil.Process(pid)
            tree = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        resident = 0
        for process in tree:
            try:
                resident += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        seen[0] = max(seen[0], resident)


def machine() -> dict[str, object]:
    """The kind of machine, and its load from other work."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "load_before": round(os.getloadavg()[0], 1),
        "python": sys.version.split()[0],
    }


def python(module: str, *arguments: str | Path) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]
