"""Many clients read, each in its own process, while one publication follows the other.

`make test-readers`, or
`python -m tests.survival.readers --readers 50 --publications 20 --folder …`.
Every client computes the checksums of all tables and compares them with those that the publication
states: an answer that mixed two publications would not match. The publications differ in core and
marts, and go through `publish` with all its checks of the ledger. Exit code 0 if all is well;
the last line is a summary as JSON.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.publication.publish import publish
from tests.support import MADE_UP, Warehouse, environment, writable_copy
from tests.survival.client import MODES, answer

# The changes of each publication to the one before.
_CHANGES = """
insert into core.fct_royalty_observations from core.fct_royalty_observations limit 1;
update core.fct_royalty_flows set receipts = coalesce(receipts, 0) + 1;
update marts.mart_world_ranking set rank_by_receipts = coalesce(rank_by_receipts, 0) + 1;
update marts.mart_balance_by_partner set partner_name = partner_name || '.';
"""


def read_through(warehouse: Warehouse, readers: int, publications: int) -> dict[str, Any]:
    """Publish while clients read. Return what all clients saw.

    answers, of which late: from a connection whose file had been replaced. errors: messages. mixed:
    answers that mix publications. seen: publications that some client saw.
    """
    settings, stop = warehouse.settings, warehouse.folder / "stop"
    reports = [warehouse.folder / f"client-{number}.json" for number in range(readers)]
    clients = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.survival.client", MODES[number % len(MODES)]),
                *map(str, (settings.warehouse, stop, report)),
            ],
            cwd=PROJECT_ROOT,
        )
        for number, report in enumerate(reports)
    ]
    try:
        published = dict([_current(warehouse)])
        _each_has_answered(reports)
        for number in range(publications):
            warehouse.restore_candidate()
            with duckdb.connect(settings.candidate) as con:
                con.execute(_CHANGES)
            warehouse.gate_candidate()
            publish(settings, f"made-up-run-{number}")
            published.update([_current(warehouse)])
            _each_has_answered(reports)
    finally:
        stop.touch()
        codes = [client.wait(600) for client in clients]
    contents = [json.loads(report.read_text()) for report in reports]
    seen = {pair for report in contents for pair in report["seen"].items()}
    return {
        "readers": readers,
        "publications": publications,
        "answers": sum(report["answers"] for report in contents),
        "late": sum(report["late"] for report in contents),
        "seen": len(seen),
        "different": len(set(published.values())),
        "errors": [error for report in contents for error in report["errors"]]
        + [f"a client ended with code {code}" for code in codes if code],
        "mixed": [mixed for report in contents for mixed in report["mixed"]]
        + [f"{name} is not as published" for name, _ in seen - set(published.items())],
    }


def _current(warehouse: Warehouse) -> tuple[str, str]:
    with duckdb.connect(warehouse.settings.warehouse, read_only=True) as con:
        return answer(con)[:2]


def _each_has_answered(reports: list[Path], seconds: float = 300) -> None:
    """Wait until every client has had one more answer."""

    def answers() -> list[int]:
        return [json.loads(path.read_text())["answers"] if path.exists() else 0 for path in reports]

    before, until = answers(), time.monotonic() + seconds
    while any(now <= then for now, then in zip(answers(), before, strict=True)):
        if time.monotonic() > until:
            raise TimeoutError(f"a client had no answer for {seconds} s")
        time.sleep(0.05)


def main() -> int:
    """Build a small warehouse, let many clients read it, and print what they saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--publications", type=int, default=20)
    parser.add_argument("--folder", type=Path, required=True, help="is deleted and created")
    parser.add_argument("--template", type=Path, help="a test folder with one publication")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    warehouse = Warehouse(options.folder)
    with environment(warehouse.environment):
        if options.template:
            Warehouse(options.template).copy(options.folder)
        else:
            writable_copy(MADE_UP / "published_figures", warehouse.landing / "published_figures")
            warehouse.run()
        found = read_through(warehouse, options.readers, options.publications)
    for what in (*found["errors"], *found["mixed"]):
        print(what)
    print(json.dumps({**found, "errors": len(found["errors"]), "mixed": len(found["mixed"])}))
    return 1 if found["errors"] or found["mixed"] else 0


if __name__ == "__main__":
    sys.exit(main())
