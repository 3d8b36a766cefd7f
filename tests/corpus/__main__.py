"""The whole corpus, in as many processes as there are processors: `make test-corrupt-files`."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from dagster_project.base.settings import Settings
from dagster_project.sources import all_sources
from dagster_project.transform.dbt_runner import run_dbt
from dagster_project.workbench.connection import open_workbench
from tests.corpus.bench import Bench, Verdict, staging_views
from tests.corpus.cases import corpus
from tests.corpus.table import failures, table
from tests.support import MADE_UP, REAL_FILES


def main() -> int:
    """Try every case; print the table and the failures; return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="make test-corrupt-files", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="times that each mutation is tried")
    seeds = parser.parse_args().seeds
    with TemporaryDirectory() as folder:
        views = _views(Path(folder))
        folders = [MADE_UP, *([REAL_FILES] if REAL_FILES.is_dir() else [])]
        count = os.cpu_count() or 1
        jobs = [
            (views, Path(folder), landing, part, count, seeds)
            for landing in folders
            for part in range(count)
        ]
        with ProcessPoolExecutor(count) as pool:
            verdicts = [verdict for part in pool.map(_try, jobs) for verdict in part]
    print(table(verdicts))
    for failure in failures(verdicts):
        print(failure)
    return 1 if failures(verdicts) else 0


def _views(folder: Path) -> str:
    """Have dbt create the staging models in a workbench, and return their SQL."""
    settings = Settings(warehouse_dir=folder / "warehouse")
    with open_workbench(settings) as con:
        for source in all_sources().values():
            for raw in source.tables:
                con.execute(raw.ddl)
    run_dbt(settings, ["run", "--select", "path:models/staging"])
    return staging_views(settings.workbench)


def _try(job: tuple[str, Path, Path, int, int, int]) -> list[Verdict]:
    views, folder, landing, part, parts, seeds = job
    own = folder / f"{landing.name}-{part}"
    own.mkdir()
    bench = Bench(own, views)
    verdicts = [
        bench.try_case(origin, mutation, seed)
        for origin, mutation in corpus(own, landing)[part::parts]
        for seed in range(seeds)
    ]
    return [verdict for verdict in verdicts if verdict]


if __name__ == "__main__":
    sys.exit(main())
