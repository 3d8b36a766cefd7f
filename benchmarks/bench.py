"""Measure one thing at one size: `python -m benchmarks.bench --only bulk --pairs 5 --rows 49604340`.

Pairs are taken A B A B …, so that a disturbance of the machine affects both sides. Each pair is
written to `benchmarks/results/` at once: the same command resumes an interrupted series, and
`--again` restarts it. After each run the published numbers are compared with the generator's totals,
and once per series with the floor's file, row for row.

DuckDB has 700 MB and two threads in every run, on both sides (`--memory-limit`).
"""

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import everyday, results
from benchmarks.compare import differences
from benchmarks.generate import FULL_ROWS, RELEASE, SECOND_RELEASE, write
from benchmarks.measure import Run, measured, python
from benchmarks.queries import query_cases
from benchmarks.totals import KINDS, Totals, totals
from dagster_project.base.settings import PUBLISHED_FILE

CONCEPTS = {"reported": "BATIS_REPORTED", "final": "BPM6_SH", "balanced": "BATIS_BALANCED"}
SMALL = 1_000_000
SIZES = (100_000, 1_000_000, 3_000_000, 10_000_000, 25_000_000, FULL_ROWS)  # the first: the start
Record = dict[str, Any]

# What a run needs of its frameworks, before any of our code.
IMPORTS = "import dagster, dagster_dbt, dbt.cli.main, dbt.adapters.duckdb, great_expectations"


class Bench:
    """The benchmarks of one size. Each returns one record: a pair, or what else it measures."""

    def __init__(self, folder: Path, rows: int, memory_limit: str) -> None:
        self.folder, self.rows, self.memory_limit = folder, rows, memory_limit

    # Files and folders

    def landing(self, rows: int) -> Path:
        """The landing folder with a bulk file of that many rows, written once."""
        landing = self.folder / f"landing_{rows}"
        csv = landing / "oecd_wto_batis" / RELEASE / "batis_bulk.csv"
        if not csv.exists():
            write(csv.with_suffix(".new"), rows)
            csv.with_suffix(".new").rename(csv)
        return landing

    def second_landing(self) -> Path:
        """The landing folder that also has a second vintage, in which every row is another."""
        landing = self.folder / f"landing_{self.rows}_second"
        csv = landing / "oecd_wto_batis" / SECOND_RELEASE / "batis_bulk.csv"
        if not csv.exists():
            write(csv.with_suffix(".new"), self.rows, vintage=1)
            csv.with_suffix(".new").rename(csv)
            first = csv.parents[1] / RELEASE / csv.name
            first.parent.mkdir()
            first.hardlink_to(self.csv(self.rows))
        return landing

    def csv(self, rows: int) -> Path:
        """The bulk file of that many rows."""
        return self.landing(rows) / "oecd_wto_batis" / RELEASE / "batis_bulk.csv"

    def environment(self, landing: Path, name: str, **more: str) -> dict[str, str]:
        """The environment of a separate warehouse, `w_<name>`."""
        return {
            "ROYALTY_LANDING_DIR": str(landing),
            "ROYALTY_WAREHOUSE_DIR": str(self.folder / f"w_{name}"),
            "DAGSTER_HOME": str(self.folder / f"home_{name}"),
            "ROYALTY_DUCKDB_MEMORY_LIMIT": self.memory_limit,
            "ROYALTY_DUCKDB_THREADS": "2",
            "DO_NOT_TRACK": "1",
            "GX_ANALYTICS_ENABLED": "false",
            "PYTHONDONTWRITEBYTECODE": "",  # compile each module once
            "ROYALTY_DOWNLOADS": "false",  # the floor writes the published file alone
            "ROYALTY_BUNDLED_RELEASES": "false",  # and has no other source
            "ROYALTY_SETTLE_SECONDS": "0",  # as if the release had landed a while ago
            **more,
        }

    def clear(self, name: str) -> None:
        """Remove a warehouse."""
        for kind in ("w", "home"):
            shutil.rmtree(self.folder / f"{kind}_{name}", ignore_errors=True)

    def warehouse(self, rows: int, all_items: bool = False) -> str:
        """The name of the pipeline's warehouse with that many rows."""
        return f"{rows}_all" if all_items else f"{rows}"

    def published(self, rows: int, all_items: bool = False) -> Path:
        """The file that the pipeline has published."""
        return self.folder / f"w_{self.warehouse(rows, all_items)}" / "royalty_flows.duckdb"

    def copy(self, name: str, to: str) -> None:
        """Copy a warehouse, with its Dagster instance, over another."""
        self.clear(to)
        for kind in ("w", "home"):
            source = self.folder / f"{kind}_{name}"
            subprocess.run(["cp", "-a", source, self.folder / f"{kind}_{to}"], check=True)

    def prepared(self, name: str, prepare: Callable[[], object]) -> Path:
        """Put a warehouse into the same state before each run, and return its published file.

        prepare: makes that state, once.
        """
        kept = f"{name}_kept"
        if not (self.folder / f"w_{kept}").exists():
            self.clear(name)
            prepare()
            self.copy(name, kept)
        self.copy(kept, name)
        return self.folder / f"w_{name}" / PUBLISHED_FILE

    def run(self, landing: Path, name: str, module: str = "dagster_project", **more: str) -> Run:
        """The main job in a warehouse, as it is. Real files may leave a release rejected."""
        return measured(python(module, "run"), self.environment(landing, name, **more), (0, 2))

    def imports(self) -> Run:
        """The import of the frameworks alone."""
        return measured([*python("x")[:1], "-c", IMPORTS], {"DO_NOT_TRACK": "1"})

    def ready(self) -> None:
        """Make sure that a warehouse of this size with the royalty item exists."""
        if not self.published(self.rows).exists():
            self.pipeline()

    # Benchmarks

    def pipeline(self, all_items: bool = False, module: str = "dagster_project") -> Any:
        """The main job, from the landing folder to a published file, in an empty warehouse."""
        name = self.warehouse(self.rows, all_items)
        self.clear(name)
        more = {"ROYALTY_BATIS_ALL_ITEMS": "true"} if all_items else {}
        landing = self.landing(self.rows)
        run = measured(python(module, "run"), self.environment(landing, name, **more))
        self.check(totals(self.rows), all_items)
        return run

    def bulk(self, number: int, all_items: bool = False) -> Record:
        """Pipeline against floor, the royalty item kept."""
        ours = self.pipeline(all_items)
        self.clear("floor")
        command = python("benchmarks.floor", self.csv(self.rows), self.folder / "w_floor")
        floor = measured(
            [*command, *(["--all-items"] if all_items else [])],
            self.environment(self.landing(self.rows), "floor"),
        )
        if number == 0:
            published = self.published(self.rows, all_items)
            found = differences(published, self.folder / "w_floor" / published.name)
            assert not found, found
        return {"runs": {"ours": results.side(ours), "floor": results.side(floor)}}

    def bulk_all_items(self, number: int) -> Record:
        """The same with all items kept in raw."""
        return self.bulk(number, all_items=True)

    def nothing_new(self, number: int) -> Record:
        """A run that finds nothing new, against the import of Dagster alone."""
        self.ready()
        published = self.published(self.rows)
        environment = self.environment(self.landing(self.rows), self.warehouse(self.rows))
        before = (published.stat().st_ino, published.stat().st_mtime_ns)
        ours = measured(python("dagster_project", "run"), environment)
        assert "nothing new" in ours.output, ours.output
        assert before == (published.stat().st_ino, published.stat().st_mtime_ns)
        alone = measured([*python("x")[:1], "-c", "import dagster"], environment)
        return {"runs": {"ours": results.side(ours), "import_of_dagster": results.side(alone)}}

    def queries(self, number: int) -> Record:
        """The analysts' queries, on the published file and on sorted Parquet."""
        self.ready()
        return {"ms": query_cases(self.published(self.rows), 15)}

    def ingest(self, number: int) -> Record:
        """The ingest alone, against dlt's and pandas', of the same kept rows."""
        self.clear("ingest")
        other, csv = self.folder / "w_ingest", self.csv(self.rows)
        other.mkdir()
        environment = self.environment(self.landing(self.rows), "ingest")
        commands = {
            "ours": python("benchmarks.ingest"),
            "dlt": python("benchmarks.dlt_ingest", csv, other / "dlt.duckdb", other / "dlt"),
            "pandas": python("benchmarks.pandas_ingest", csv, other / "pandas.duckdb"),
        }
        runs = {}
        for name, command in commands.items():
            run = measured(command, environment)
            assert str(totals(self.rows).rows_kept) in run.output, run.output
            runs[name] = results.side(run)
        return {"runs": runs}

    def sensor(self, number: int) -> Record:
        """An evaluation of the landing sensor with 5,000 releases and nothing new; any size."""
        folder = self.folder / "sensor"
        shutil.rmtree(folder, ignore_errors=True)
        run = measured(python("benchmarks.sensor", "--folder", folder), {"DO_NOT_TRACK": "1"})
        return {"releases": 5000, "evaluations": json.loads(run.output.strip().splitlines()[-1])}

    def check(
        self, expected: Totals, all_items: bool, published: Path | None = None, day: str = RELEASE
    ) -> None:
        """Raise AssertionError unless the published numbers of a release are the generator's."""
        published = published or self.published(expected.rows, all_items)
        of_release = f"source = 'oecd_wto_batis' and release_date = date '{day}'"
        with duckdb.connect(published, read_only=True) as con:
            found = {
                (concept, flow): (count, total)
                for concept, flow, count, total in con.execute(
                    "select concept, flow, count(*), sum(value) from core.fct_royalty_observations"
                    f" where {of_release} group by all"
                ).fetchall()
            }
            read_and_kept = con.execute(
                f"select rows_read, rows_kept from audit.releases where {of_release}"
            ).fetchall()
        wanted = {
            (CONCEPTS[kind], ("receipts", "payments")[flow]): value
            for (kind, flow), value in expected.of_item.items()
            if value[0]
        }
        assert found == wanted, (found, wanted)
        kept = expected.rows if all_items else expected.rows_kept
        assert read_and_kept == [(expected.rows, kept)], read_and_kept
        if all_items:
            with duckdb.connect(
                self.published(expected.rows, True).with_name("workbench.duckdb"), read_only=True
            ) as con:
                for kind in KINDS:
                    in_raw = con.execute(
                        f"select count({kind}_value), sum({kind}_value::decimal(24, 6))"
                        " from raw.oecd_wto_batis__observations"
                    ).fetchall()
                    assert in_raw == [expected.of_all[kind]], (kind, in_raw)


# By name, in the order in which they use each other's files.
SERIES: dict[str, Callable[[Bench, int], Record]] = {
    "ingest": Bench.ingest,
    "bulk_all_items": Bench.bulk_all_items,
    "bulk": Bench.bulk,
    "second_vintage": everyday.second_vintage,
    "phases": everyday.phases,
    "nothing_new": Bench.nothing_new,
    "queries": Bench.queries,
    "small_release": everyday.small_release,
    "phases_small": everyday.phases_small,
    "small_small": everyday.small_small,
    "landing_to_live": everyday.landing_to_live,
    "growth": everyday.growth,
    "equality": everyday.equality,
    "sensor": Bench.sensor,
}


ENOUGH = {"phases": 2, "phases_small": 1, "equality": 1}  # more rounds of these add nothing
Stage = list[tuple[int, str]]  # rows and series, taken in rounds

# What an everyday run costs. The equality, and the hour of all items, come last.
EVERYDAY: list[Stage] = [
    [
        *((FULL_ROWS, name) for name in ("bulk", "second_vintage", "small_release", "nothing_new")),
        (10_000_000, "bulk"),
        *((SMALL, name) for name in ("small_small", "landing_to_live", "growth")),
    ],
    [(FULL_ROWS, "phases_small"), (FULL_ROWS, "equality")],
    [(FULL_ROWS, "bulk_all_items")],
]


def take(bench: Bench, name: str, wanted: int, again: bool) -> None:
    """Take the missing pairs of a series."""
    path = results.of_rows(bench.rows)
    if again:
        results.forget(path, name)
    for number in range(len(results.records(path, name)), wanted):
        record = {"memory_limit": bench.memory_limit, **SERIES[name](bench, number)}
        found = results.add(path, name, record)
        print(f"{bench.rows:,} rows, {results.line(name, record, found)}", flush=True)


def main() -> None:
    """Take the requested measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="names of benchmarks, separated by commas")
    parser.add_argument("--rows", default=str(SMALL), help="sizes, separated by commas")
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="restart the series")
    parser.add_argument("--full", action="store_true", help="everything, at every size: hours")
    parser.add_argument("--everyday", action="store_true", help="what an everyday run costs: hours")
    parser.add_argument("--largest", type=int, default=FULL_ROWS, help="with --everyday: its size")
    parser.add_argument("--memory-limit", default="700MB")
    parser.add_argument(
        "--folder", type=Path, default=Path(os.environ.get("TMPDIR", "/tmp")) / "royalty_bench"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for stage in _stages(options):
        for number in range(1, options.pairs + 1):
            for rows, name in stage:  # in turn: a disturbance of the machine affects all of them
                bench = Bench(options.folder, rows, options.memory_limit)
                wanted = min(number, ENOUGH.get(name, number))
                take(bench, name, wanted, options.again and number == 1)


def _stages(options: argparse.Namespace) -> list[Stage]:
    """What to measure, by the options."""
    if options.everyday:
        return [
            list(dict.fromkeys((min(rows, options.largest), name) for rows, name in stage))
            for stage in EVERYDAY
        ]
    if options.full:
        return [[(rows, "bulk") for rows in SIZES], [(FULL_ROWS, name) for name in SERIES]]
    names = options.only.split(",") if options.only else list(SERIES)
    return [[(int(rows), name) for rows in options.rows.split(",")] for name in names]


if __name__ == "__main__":
    main()
