"""Kill runs, the daemon and PostgreSQL until there are enough: `make test-crashes`.

`python -m tests.survival.crash_series --kills N --seed S --results FILE`. Half of the runs die at a
chosen point, half by chance; a round has all kinds of runs. The results are written after each
kill, and a series that was interrupted goes on where it was. Exit code 0 if there were no problems;
the last line is a summary as JSON.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

from dagster_project.base.durable_files import replace_text
from tests.survival.crash_tally import Tally
from tests.survival.crashes import LAYERS, Harness, prepare
from tests.survival.process_crashes import kill_daemons, kill_postgres


def main() -> int:
    """Kill until there are enough; print the problems and the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--folder", type=Path, required=True, help="is deleted and created")
    parser.add_argument("--template", type=Path, help="a test folder with one publication")
    parser.add_argument("--chosen", type=int, default=4, help="points per phase and round")
    parser.add_argument("--by-chance", type=int, default=5, help="times per phase and round")
    parser.add_argument("--daemon", type=int, default=2, help="kills of the daemon per round")
    parser.add_argument("--postgres", type=int, default=6, help="kills of PostgreSQL per round")
    parser.add_argument("--results", type=Path, help="a file for the summary, kept up to date")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    os.environ["ROYALTY_KEEP_PUBLICATIONS"] = "1"  # so that the old one is deleted
    tally, since = Tally.of_series(options.results), time.monotonic()
    tally.seeds.append(options.seed + len(tally.seeds))

    def save() -> None:
        nonlocal since
        tally.seconds += time.monotonic() - since
        since = time.monotonic()
        if options.results:
            text = json.dumps(tally.summary(options.kills), indent=1) + "\n"
            replace_text(options.results, text)

    prepare()
    harness = Harness(options.folder, options.template, tally, save)
    while tally.by_run.total() < options.kills and not tally.problems:
        layer = harness.rng.choice(LAYERS)
        harness.round(options.chosen, options.by_chance, layer)
        kill_daemons(harness, options.daemon)
        kill_postgres(harness, options.postgres)
        print(f"{tally.by_run.total()} kills", flush=True)
    save()
    for problem in tally.problems:
        print(problem)
    print(json.dumps(tally.summary(options.kills)))
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
