"""A disk that is full, by so much or so little, under runs that publish: `make test-full-disk`.

`python -m tests.survival.full_disk --folder … --results FILE`. A run on a disk of its own (tmpfs,
which only root may mount) shows how much room it takes. Then the disk has 64 KB less than that,
128 KB less, …, 1 MB less, with warehouse and Dagster's home on it. Each time the run must end with
one clear error, and the live publication stay as it is, or be the new one if only Dagster's history
of the run finds no room; with room, the next run must give what an undisturbed one gives. Exit code
0 if all is well; the last line is a summary as JSON.
"""

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster_project.__main__ import main as command
from dagster_project.base.hashing import file_sha256
from dagster_project.pipeline.run import FAILED, PUBLISHED
from tests.support import Warehouse
from tests.survival.crash_points import RunFailedError, in_child
from tests.survival.crash_tally import Tally
from tests.survival.crashes import BOUNDARIES, Harness, prepare
from tests.survival.summary import print_summary

STEP, LAST = 64 * 2**10, 2**20
CHECKED = (
    "one clear error; the live publication byte for byte as it was, or, if only Dagster's history"
    " of the run found no room, the new one; whole and audited. With room, the next run gives what"
    " an undisturbed one gives"
)
_ROOM = 400 * 2**20
# What a run writes varies by some pages, so the first may succeed.
_SURELY_FULL = 2 * STEP


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A disk of its own, with room. Raises PermissionError if it may not be mounted."""
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        raise PermissionError("no right to mount a small disk: needs root, as in the CI container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def resize(folder: Path, size: int) -> None:
    """Give a disk another size, in bytes."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def used(folder: Path) -> int:
    """Return the bytes that are taken."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def run(harness: Harness, warehouse: Warehouse) -> tuple[int, str]:
    """Do `make run`; return its exit code and output."""
    log, answer = harness.folder / "run.txt", harness.folder / "run.json"
    log.unlink(missing_ok=True)

    def work() -> None:
        answer.write_text(str(command(["run"])))

    in_child(work, log, warehouse.environment)
    return int(answer.read_text()), log.read_text("utf-8", "replace")


def room_taken(harness: Harness, start: Warehouse) -> int:
    """Return how many bytes a disk must have for an undisturbed run."""
    with disk(harness.folder / "disk") as folder:
        warehouse = start.copy(folder / "copy")
        most, ended = used(folder), threading.Event()

        def watch() -> None:
            nonlocal most
            while not ended.is_set():
                most = max(most, used(folder))
                time.sleep(0.0005)

        watching = threading.Thread(target=watch)
        watching.start()
        code, printed = run(harness, warehouse)
        ended.set()
        watching.join()
        assert code == PUBLISHED, printed
        return most


def fill(harness: Harness, start: Warehouse, size: int, missing: int) -> tuple[str, list[str]]:
    """Run where so many bytes are missing. Returns how it ended, and the problems."""
    with disk(harness.folder / "disk") as folder:
        warehouse = start.copy(folder / "copy")
        live = warehouse.settings.warehouse
        before = file_sha256(live)
        resize(folder, size - missing)
        problems = []
        try:
            code, printed = run(harness, warehouse)
        except RunFailedError as error:
            return "failed", [str(error)]
        finally:
            resize(folder, _ROOM)
        end = "published" if code == PUBLISHED else "refused"
        if code == FAILED:
            errors = [line for line in printed.splitlines() if "the disk is full" in line]
            if len(errors) != 1 or printed.splitlines()[-1] != errors[0] or "Traceback" in printed:
                problems.append(f"not one clear error: {printed[-3000:]}")
            if file_sha256(live) != before:
                end = "published, history not written"
                if "nothing was published" in printed:
                    problems.append(f"something was published: {printed[-3000:]}")
        elif code != PUBLISHED or missing >= _SURELY_FULL:
            problems.append(f"code {code} although {missing} bytes are missing: {printed[-3000:]}")
        harness.inspect(warehouse, "a full disk")
        harness.finish(warehouse, "a full disk")
        problems += harness.tally.problems
        harness.tally = Tally(seeds=harness.tally.seeds)
        return end, problems


def fill_at_every_step(harness: Harness, kinds: dict[str, Warehouse]) -> dict[str, Any]:
    """Run each kind of run with 0, 64 KB, … 1 MB missing. Returns the summary, with problems."""
    found: dict[str, Any] = {"checked": CHECKED, "runs": {}, "problems": []}
    for kind, start in kinds.items():
        size = room_taken(harness, start)
        ends = {}
        for missing in range(0, LAST + 1, STEP):
            ends[missing], problems = fill(harness, start, size, missing)
            found["problems"] += [f"{kind}, {missing} bytes missing: {what}" for what in problems]
            print(f"{kind}, {missing} bytes missing: {ends[missing]}", flush=True)
        found["runs"][kind] = {"bytes of the disk": size, "by bytes missing": ends}
    return found


def runs_that_publish(harness: Harness) -> dict[str, Warehouse]:
    """Return a warehouse with two new releases, and one whose candidate is ready."""
    ready = harness.start.copy(harness.folder / "ready")
    assert harness.kill(ready, "marts", BOUNDARIES["marts"], command_run)
    return {"load, build, publish": harness.start, "publish": ready}


def command_run() -> None:
    """Do `make run`."""
    command(["run"])


def main() -> int:
    """Fill disks; print the problems and the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="is deleted and created")
    parser.add_argument("--results", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    began = time.monotonic()
    prepare()
    harness = Harness(options.folder, None, Tally(seeds=[1]), lambda: None)
    found = fill_at_every_step(harness, runs_that_publish(harness))
    return print_summary(found, began, options.results)


if __name__ == "__main__":
    sys.exit(main())
