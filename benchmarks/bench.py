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
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import results
from benchmarks.compare import differences
from benchmarks.generate import FULL_ROWS, write
from benchmarks.measure import measured, python
from benchmarks.queries import query_cases
from benchmarks.totals import KINDS, Totals, totals

RELEASE = "2025-12-01"
CONCEPTS = {"reported": "BATIS_REPORTED", "final": "BPM6_SH", "balanced": "BATIS_BALANCED"}
SMALL = 1_000_000
SIZES = (100_000, 1_000_000, 3_000_000, 10_000_000, 25_000_000, FULL_ROWS)  # the first: the start
Record = dict[str, Any]

totals_of = cache(totals)


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
        self.check(totals_of(self.rows), all_items)
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

    def phases(self, number: int) -> Record:
        """CPU time of the main job by phase, and the gates' share: odd numbers keep all items."""
        all_items = number % 2 == 1
        run = self.pipeline(all_items, "benchmarks.phases")
        spent = json.loads(run.output.strip().splitlines()[-1])
        share = round(spent["gates"] / spent["all"], 3)
        return {"all_items": all_items, "gates_share_of_cpu": share, "cpu_s": spent}

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

    def small_release(self, number: int) -> Record:
        """One release of the World Bank's size into the full warehouse; `bulk` has the other side."""
        self.ready()
        landing = self.folder / "landing_small"
        shutil.rmtree(landing, ignore_errors=True)
        landing.mkdir()
        (landing / "oecd_wto_batis").symlink_to(self.landing(self.rows) / "oecd_wto_batis")
        _land_world_bank(landing, number)
        environment = self.environment(landing, self.warehouse(self.rows))
        ours = measured(python("dagster_project", "run"), environment)
        assert "accepted worldbank_wdi" in ours.output, ours.output
        self.check(totals_of(self.rows), all_items=False)
        bulk = results.read(results.of_rows(self.rows))["bulk"]["summary"]["ours"]
        ratio = {
            what: round(getattr(ours, what) / bulk[f"{what}_s"], 3) for what in ("wall", "cpu")
        }
        return {"runs": {"ours": results.side(ours)}, "to_median_of_bulk": ratio}

    def growth(self, number: int) -> Record:
        """One more release of the World Bank's size after 40 others, and after one; any size."""
        runs = {}
        for name, others in (("after_40", 40), ("after_1", 1)):
            self.clear(name)
            landing = self.folder / f"landing_{name}"
            shutil.rmtree(landing, ignore_errors=True)
            environment = self.environment(landing, name)
            for vintage in range(others):
                _land_world_bank(landing, vintage)
            measured(python("dagster_project", "run"), environment)
            _land_world_bank(landing, others)
            run = measured(python("dagster_project", "run"), environment)
            assert run.output.count("accepted worldbank_wdi") == 1, run.output
            runs[name] = results.side(run)
        return {"runs": runs}

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
            assert str(totals_of(self.rows).rows_kept) in run.output, run.output
            runs[name] = results.side(run)
        return {"runs": runs}

    def sensor(self, number: int) -> Record:
        """An evaluation of the landing sensor with 5,000 releases and nothing new; any size."""
        folder = self.folder / "sensor"
        shutil.rmtree(folder, ignore_errors=True)
        run = measured(python("benchmarks.sensor", "--folder", folder), {"DO_NOT_TRACK": "1"})
        return {"releases": 5000, "evaluations": json.loads(run.output.strip().splitlines()[-1])}

    def check(self, expected: Totals, all_items: bool) -> None:
        """Raise AssertionError unless the published numbers are the generator's."""
        with duckdb.connect(self.published(expected.rows, all_items), read_only=True) as con:
            found = {
                (concept, flow): (count, total)
                for concept, flow, count, total in con.execute(
                    "select concept, flow, count(*), sum(value) from core.fct_royalty_observations"
                    " where source = 'oecd_wto_batis' group by all"
                ).fetchall()
            }
            read_and_kept = con.execute(
                "select rows_read, rows_kept from audit.releases where source = 'oecd_wto_batis'"
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


def _land_world_bank(landing: Path, number: int) -> None:
    """One release, each a month after the one before."""
    folder = landing / "worldbank_wdi" / f"{2021 + number // 12}-{number % 12 + 1:02}-15"
    folder.mkdir(parents=True)
    _world_bank(folder / "made_up_API.csv", number)


def _world_bank(path: Path, number: int) -> None:
    """A file of the World Bank's layout and size: 266 economies, 13 indicators, 61 years."""
    years = range(1960, 2021)
    names = ["BX.GSR.ROYL.CD", "BM.GSR.ROYL.CD", *(f"XX.OTHER.{n:02}" for n in range(11))]
    import pycountry

    countries = sorted(country.alpha_3 for country in pycountry.countries)
    header = ["Country Name", "Country Code", "Indicator Name", "Indicator Code", *map(str, years)]
    lines = [
        '"Data Source","World Development Indicators",',
        "",
        '"Last Updated Date","2021-09-15",',
        "",
    ]
    lines.append("".join(f'"{cell}",' for cell in header))
    for code in countries:
        for name in names:
            cells = [code, code, name, name]
            cells += [str((hash_of(code, name, year) + number) % 10**9) for year in years]
            lines.append("".join(f'"{cell}",' for cell in cells))
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", "utf-8", newline="")


def hash_of(*words: object) -> int:
    """A number derived from words, the same in every process."""
    value = 7
    for letter in "".join(map(str, words)):
        value = (value * 48_271 + ord(letter)) % 2_147_483_647
    return value


# By name, in the order in which they use each other's files.
SERIES: dict[str, Callable[[Bench, int], Record]] = {
    "ingest": Bench.ingest,
    "bulk_all_items": Bench.bulk_all_items,
    "bulk": Bench.bulk,
    "phases": Bench.phases,
    "nothing_new": Bench.nothing_new,
    "queries": Bench.queries,
    "small_release": Bench.small_release,
    "sensor": Bench.sensor,
    "growth": Bench.growth,
}


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
    parser.add_argument("--memory-limit", default="700MB")
    parser.add_argument(
        "--folder", type=Path, default=Path(os.environ.get("TMPDIR", "/tmp")) / "royalty_bench"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = options.only.split(",") if options.only else list(SERIES)
    sizes = [int(rows) for rows in options.rows.split(",")]
    wanted = [(name, sizes, options.pairs) for name in names]
    if options.full:
        wanted = [("bulk", list(SIZES), 5), *((name, [FULL_ROWS], 5) for name in SERIES)]
    for name, of_sizes, pairs in wanted:
        for number in range(1, (2 if name == "phases" else pairs) + 1):
            for rows in of_sizes:  # in turn: a disturbance of the machine affects all sizes
                bench = Bench(options.folder, rows, options.memory_limit)
                take(bench, name, number, options.again and number == 1)


if __name__ == "__main__":
    main()
