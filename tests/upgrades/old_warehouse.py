"""Makes a small warehouse with the code of an earlier commit: the fixtures of `test_upgrades.py`.

    python -m tests.upgrades.old_warehouse <commit> tests/fixtures/warehouse_<version>.tar.xz

All of its figures are made up, exchange rates included. It holds what a user has after two
publications and a decision: landing folder, workbench, publications and the Dagster instance, of
which only the shortest runs are kept.
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
from datetime import date, timedelta
from pathlib import Path

import duckdb

from tests.support import MADE_UP

REASON = "made up: withdrawn by the publisher"
REJECTED = "published_figures/2020-02-29"
RELEASES = ("published_figures/2019-06-30", "worldbank_wdi/2016-03-01")
KEPT_RUNS = 2


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
    """Stand in for the package that brings the ECB's rates."""
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
    workbench, fresh = warehouse / "workbench.duckdb", warehouse / "fresh.duckdb"
    with duckdb.connect() as con:
        con.execute(f"attach '{workbench}' as old; attach '{fresh}' as fresh")
        con.execute("delete from old.raw.ecb_reference_rates__daily where date < '2009'")
        con.execute("copy from database old to fresh")
    fresh.replace(workbench)
    runs = made / "dagster_home" / "history" / "runs"
    logs = sorted(runs.glob("*-*.db"), key=lambda path: path.stat().st_size)
    dropped = [path.stem for path in logs[KEPT_RUNS:]]
    marks = ", ".join("?" * len(dropped))
    for name, tables in (
        (runs.with_name("runs.db"), {"runs": "run_id", "run_tags": "run_id"}),
        (runs / "index.db", {"event_logs": "run_id"}),
    ):
        with sqlite3.connect(name) as con:
            for table, column in tables.items():
                con.execute(f"delete from {table} where {column} in ({marks})", dropped)
            con.execute("delete from asset_check_executions") if name.stem == "index" else None
        sqlite3.connect(name).execute("vacuum")
    for run in dropped:
        for path in runs.glob(f"{run}.db*"):
            path.unlink()


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))
