"""The progress of a load, on a bulk file large enough to take a moment."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.generate import write
from dagster_project.base.progress import ProgressReport
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.pending_releases import find_release
from dagster_project.layouts.csv_layout import BULK_BYTES, CsvLayout
from dagster_project.sources.oecd_wto_batis import SOURCE
from dagster_project.sources.source import Source
from dagster_project.workbench.ledger_schema import create_ledger

RELEASE = "2025-12-01"


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    path = folder / SOURCE.name / RELEASE / "made_up_bulk.csv"
    write(path, 700_000)
    assert path.stat().st_size > BULK_BYTES
    return folder


def parsed_whole(layout: Any) -> CsvLayout:
    """The layout, without the line filter."""
    assert isinstance(layout, CsvLayout)
    return replace(layout, must_contain="")


@pytest.mark.parametrize(
    "source",
    [SOURCE, replace(SOURCE, layouts=tuple(map(parsed_whole, SOURCE.layouts[:2])))],
    ids=["searched", "parsed by DuckDB"],
)
def test_a_bulk_load_says_how_many_of_its_bytes_are_read(landing: Path, source: Source) -> None:
    lines: list[str] = []
    with duckdb.connect() as con:
        create_ledger(con)
        con.execute("create schema if not exists raw")
        release = find_release(source, landing, RELEASE)
        loaded = load_release(
            con, source, release, report=ProgressReport(lines.append, interval=0.001)
        )
        printed = con.execute(
            "select name, value from duckdb_settings() where name = 'enable_progress_bar'"
        ).fetchall()
    assert loaded.files[0].rows_read == 700_000
    assert printed == [("enable_progress_bar", "false")], "it is set back"
    assert all(line.startswith(f"{release.label}, made_up_bulk.csv: ") for line in lines)
    known = [line for line in lines if " of " in line]
    shares = [int(line.split(": ")[1].split(" %")[0]) for line in known]
    assert len(set(shares)) > 1
    assert shares == sorted(shares)
    assert shares[-1] <= 100
    assert "B/s, " in known[-1]
    assert known[-1].endswith(" left")
