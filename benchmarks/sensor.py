"""One evaluation of the landing sensor with many releases, all of them in the ledger, none new.

`python -m benchmarks.sensor --releases 5000 --folder /tmp/x` prints wall and CPU seconds of each of
five evaluations as JSON, in a process with everything imported, like Dagster's.
"""

import argparse
import json
import os
import time
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import Settings
from dagster_project.definitions import definitions
from dagster_project.ingest.load_release import load_release
from dagster_project.sources import all_sources
from dagster_project.transform.build_fingerprint import build_fingerprint
from dagster_project.workbench.connection import open_workbench

SOURCE, FIRST = "published_figures", date(1990, 1, 1)


def land(settings: Settings, releases: int) -> None:
    """Make the releases, and a ledger and a published file in which all of them are current."""
    for number in range(releases):
        folder = settings.landing_dir / SOURCE / str(FIRST + timedelta(number))
        folder.mkdir(parents=True)
        path = folder / "made_up.csv"
        path.write_text("x")
        os.utime(path, (1, 1))
    with open_workbench(settings) as con:
        con.execute(
            "insert into audit.releases select ?, ?::date + day::integer, 'made_up.csv', ?, 1, 1, 1,"
            " 'accepted', null, now()::timestamp, timestamp '1970-01-01 00:00:01'"
            " from range(?) as days (day)",
            [SOURCE, FIRST, file_sha256(path), releases],
        )
        for source in all_sources().values():
            if source.packaged:  # these come with the Python packages
                load_release(con, source, source.packaged())
        con.execute("update audit.releases set status = 'accepted' where status = 'loaded'")
        con.execute(
            "insert into audit.publication values ('made up', now()::timestamp, '', '', '', ?)",
            [build_fingerprint(con)],
        )
    settings.warehouse.touch()


def evaluations(
    settings: Settings, instance: dg.DagsterInstance, times: int
) -> list[dict[str, float]]:
    """Evaluate the sensor; return the seconds of each time."""
    defs = definitions(settings)
    sensor = next(each for each in defs.sensors or [] if each.name == "landing")
    taken, cursor = [], ""
    for _ in range(times):
        context = dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            repository_def=defs.get_repository_def(),
            resources={"settings": settings},
        )
        # The daemon's context has this of its own; without it no partition is known.
        vars(context)["caching_dynamic_partitions_loader"] = instance
        wall, cpu = time.perf_counter(), time.process_time()
        result = sensor.evaluate_tick(context)
        spent = (time.perf_counter() - wall, time.process_time() - cpu)
        assert not result.run_requests, result.run_requests
        for asked in result.dynamic_partitions_requests or []:
            instance.add_dynamic_partitions(asked.partitions_def_name, list(asked.partition_keys))
        cursor = result.cursor or ""
        taken.append({"wall_s": round(spent[0], 3), "cpu_s": round(spent[1], 3)})
    return taken


def main() -> None:
    """Make the folders and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--releases", type=int, default=5000)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    settings = Settings(
        landing_dir=options.folder / "landing", warehouse_dir=options.folder / "warehouse"
    )
    land(settings, options.releases)
    with dg.DagsterInstance.ephemeral() as instance:
        # The first evaluation creates the partitions; the ones measured find nothing new.
        print(json.dumps(evaluations(settings, instance, 6)[1:]))


if __name__ == "__main__":
    main()
