"""Makes a small warehouse with the code of an earlier commit: the fixtures of `test_upgrades.py`.

    python -m tests.upgrades.old_warehouse <commit> tests/fixtures/warehouse_<version>.tar.xz

All of its figures are made up, exchange rates included. It holds what a user has after two
publications and a decision: landing folder, workbench, the last publication, and the Dagster
instance with the shortest runs.
"""

import lzma
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import duckdb

from tests.support import MADE_UP

REASON = "made up: withdrawn by the publisher"
REJECTED = "published_figures/2020-02-29"
RELEASES = ("published_figures/2019-06-30", "worldbank_wdi/2016-03-01")
KEPT_RUNS = 2
_LARGE = ("int_exchange_rates", "int_regions", "int_economies")


def make(commit: str, archive: Path) -> None:
    """Write the archive. commit: of the code that makes the warehouse."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code, made = folder / "code", folder / "made"
        code.mkdir()
        exported = subprocess.run(["git", "archive", commit], capture_output=True, check=True)
        subprocess.run(["tar", "x"], cwd=code, input=exported.stdout, check=True)
        _made_up_rates(folder / "packages" / "currency_converter")
        for release in RELEASES:
            shutil.copytree(MADE_UP / release, made / "landing" / release)
        (made / "dagster_home").mkdir()

        def command(*arguments: str) -> None:
            subprocess.run(
                [sys.executable, "-m", "dagster_project", *arguments],
                cwd=code,
                env=os.environ
                | {
                    "PYTHONPATH": os.pathsep.join((str(code), str(folder / "packages"))),
                    "ROYALTY_LANDING_DIR": str(made / "landing"),
                    "ROYALTY_WAREHOUSE_DIR": str(made / "warehouse"),
                    "ROYALTY_BUNDLED_RELEASES": "false",
                    "ROYALTY_SETTLE_SECONDS": "0",
                    "ROYALTY_DOWNLOADS": "false",
                    "ROYALTY_EXPORTS": "false",
                    "DAGSTER_HOME": str(made / "dagster_home"),
                },
                check=True,
            )

        command("run")
        (source,) = (MADE_UP / RELEASES[0]).iterdir()
        text = source.read_text("utf-8").replace("2019-06-30", "2020-02-29")
        later = made / "landing" / REJECTED
        later.mkdir()
        (later / source.name).write_text(text, "utf-8")
        command("run")
        command("reject", REJECTED, "--reason", REASON)
        _compact(made)
        with (
            lzma.open(archive, "wb", preset=9 | lzma.PRESET_EXTREME) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            tar.add(made, ".")


def _made_up_rates(package: Path) -> None:
    """Write a substitute for the package that brings the ECB's rates."""
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    stated = {"USD": 1.25, "JPY": 125, "GBP": 0.8, "CNY": 8, "KRW": 1250}
    others = {
        f"X{a}{b}": 2 for a in "ABCDEF" for b in "ABCDEFG"
    }  # its gate knows how many there are
    rates = ",".join(str(rate) for rate in (stated | others).values())
    days = [date(2020, 12, 31) - timedelta(days=n) for n in range(8033)]  # since 1999
    lines = [f"{day},{rates}" for day in days if day.weekday() < 5]
    with zipfile.ZipFile(package / "eurofxref-hist.zip", "w") as packed:
        packed.writestr(
            "eurofxref-hist.csv", "\n".join([",".join(["Date", *stated, *others]), *lines, ""])
        )


def _compact(made: Path) -> None:
    warehouse = made / "warehouse"
    for part in ("candidate", "dbt_target", "exports", "report", "reports"):
        shutil.rmtree(warehouse / part, ignore_errors=True)
    first, *_ = sorted((warehouse / "publications").iterdir())
    first.unlink()  # a megabyte that the second one has as well
    workbench, fresh = warehouse / "workbench.duckdb", warehouse / "fresh.duckdb"
    with duckdb.connect() as con:
        con.execute(f"attach '{workbench}' as old; attach '{fresh}' as fresh")
        con.execute("delete from old.raw.ecb_reference_rates__daily where date < '2009'")
        con.execute("delete from old.raw.ecb_reference_rates__daily where _column like 'X%'")
        for table in _LARGE:  # an upgrade builds them again
            con.execute(f"delete from old.intermediate.{table}")
        con.execute("copy from database old to fresh")
    fresh.replace(workbench)
    shutil.rmtree(made / "dagster_home" / "storage", ignore_errors=True)  # output of steps
    (made / "dagster_home" / "make_run.yaml").unlink(missing_ok=True)  # has this machine's paths
    runs = made / "dagster_home" / "history" / "runs"
    logs = sorted(runs.glob("*-*.db"), key=lambda path: path.stat().st_size)
    kept = ", ".join(f"'{path.stem}'" for path in logs[:KEPT_RUNS])
    for name, columns in (
        (runs.with_name("runs.db"), ("runs.run_id", "run_tags.run_id")),
        (
            runs / "index.db",
            ("event_logs.run_id", "asset_check_executions.run_id", "asset_keys.last_run_id"),
        ),
    ):
        with closing(sqlite3.connect(name, isolation_level=None)) as con:
            for table, _, column in (each.partition(".") for each in columns):
                con.execute(f"delete from {table} where coalesce({column}, '') not in ({kept})")
            if name.name == "runs.db":
                used = "select snapshot_id from runs"
                con.execute(f"delete from snapshots where snapshot_id not in ({used})")
            con.execute("vacuum")
            con.execute("pragma wal_checkpoint(truncate)")
    for path in logs[KEPT_RUNS:]:
        path.unlink()


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))
