"""Many clients read from object storage, while one upload follows the other.

`make test-readers-elsewhere`, or
`python -m tests.survival.object_readers --readers 50 --publications 20 --folder …`.
The server is moto, on this machine. Every answer compares what it read with the checksums that the
publication states, so that one that mixed two would not match. Clients with polars and pandas run
in `.venv-bench`. Exit code 0 if all is well; the last line is a summary as JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.publication.publish import publish
from dagster_project.publication.upload import upload, upload_errors
from tests.publication.s3_server import s3_server
from tests.support import MADE_UP, Warehouse, environment
from tests.survival.object_client import DUCKDB_MODES, FRAME_MODES
from tests.survival.readers import _CHANGES, _each_has_answered

BENCH = PROJECT_ROOT / ".venv-bench" / "bin" / "python"
MODES = DUCKDB_MODES + FRAME_MODES


def read_through(
    warehouse: Warehouse, base: str, readers: int, publications: int, modes: tuple[str, ...]
) -> dict[str, Any]:
    """Publish and upload while clients read. Return what all clients saw.

    modes: of the clients, in turn. errors: messages. mixed: answers that do not fit together. seen:
    publications that some client saw.
    """
    stop = warehouse.folder / "stop"
    kinds = [modes[number % len(modes)] for number in range(readers)]
    reports = [warehouse.folder / f"client-{number}.json" for number in range(readers)]
    upload(warehouse.settings)
    began = time.monotonic()
    clients = [
        subprocess.Popen(
            [
                str(BENCH) if mode in FRAME_MODES else sys.executable,
                *("-m", "tests.survival.object_client", mode, base),
                *map(str, (stop, *reports[number :: len(modes)])),
            ],
            cwd=PROJECT_ROOT,
            env={**os.environ, "POLARS_MAX_THREADS": "1"},
        )
        for number, mode in enumerate(modes[:readers])
    ]
    published, pruned = {_publish(warehouse, None)}, 0
    try:
        _each_has_answered(reports, 1800)
        for number in range(publications):
            published.add(_publish(warehouse, f"made-up-run-{number}"))
            pruned += len(upload(warehouse.settings).pruned)
            _each_has_answered(reports, 1800)
    finally:
        stop.touch()
        codes = [client.wait(1800) for client in clients]
    contents = [json.loads(report.read_text()) for report in reports]
    digests: dict[str, set[str]] = {}
    for report in contents:
        for key, digest in report["seen"].items():
            digests.setdefault(key, set()).add(digest)
    seen = {key.split(" ")[1] for key in digests}
    return {
        "readers": {mode: kinds.count(mode) for mode in modes},
        "publications": publications,
        "seconds": round(time.monotonic() - began),
        "answers": sum(report["answers"] for report in contents),
        "seen": len(seen & published),
        "pruned": pruned,
        "errors": [error for report in contents for error in report["errors"]]
        + [f"a client ended with code {code}" for code in codes if code]
        + upload_errors(warehouse.settings),
        "mixed": [mixed for report in contents for mixed in report["mixed"]]
        + [
            f"two clients read {key} differently"
            for key, found in digests.items()
            if len(found) > 1
        ]
        + [f"{name} was never published" for name in seen - published],
    }


def _publish(warehouse: Warehouse, run_id: str | None) -> str:
    """Publish what differs in core and marts, and return its id; without a run, the live one's."""
    if run_id is None:
        return str(warehouse.published("select max(publication_id) from audit.publication")[0][0])
    warehouse.restore_candidate()
    with duckdb.connect(warehouse.settings.candidate) as con:
        con.execute(_CHANGES)
    warehouse.gate_candidate()
    return publish(warehouse.settings, run_id).publication_id


def main() -> int:
    """Build a small warehouse, let many clients read its uploads, and print what they saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--publications", type=int, default=20)
    parser.add_argument("--folder", type=Path, required=True, help="is deleted and created")
    parser.add_argument("--template", type=Path, help="a test folder with one publication")
    parser.add_argument("--results", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    warehouse = Warehouse(options.folder.resolve())
    with s3_server() as s3, environment({**warehouse.environment, **s3.environment}):
        if options.template:
            Warehouse(options.template).copy(warehouse.folder)
        else:
            shutil.copytree(MADE_UP / "published_figures", warehouse.landing / "published_figures")
            warehouse.run()
        found = read_through(warehouse, s3.base, options.readers, options.publications, MODES)
    for what in (*found["errors"], *found["mixed"]):
        print(what)
    summary = {**found, "errors": len(found["errors"]), "mixed": len(found["mixed"])}
    if options.results:
        options.results.write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary))
    return 1 if found["errors"] or found["mixed"] else 0


if __name__ == "__main__":
    sys.exit(main())
