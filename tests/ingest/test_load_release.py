import os
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.ingest import load_release as load
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.raw_rows import drop_rows_not_current, loaded_rows_query
from dagster_project.layouts import csv_layout
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release, Source
from dagster_project.workbench.connection import transaction
from dagster_project.workbench.ledger_schema import create_ledger
from dagster_project.workbench.releases import set_release_status
from tests.support import BULK, COUNTRIES, INDICATORS, MADE_UP

WDI = all_sources()["worldbank_wdi"]
DAY = date(2021, 9, 15)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_ledger(connection)
        yield connection


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """The made-up bulk release, as files of the test's own."""
    files = []
    for path in sorted((BULK, COUNTRIES, INDICATORS)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
        files.append(tmp_path / path.name)
    return Release(WDI.name, DAY, tuple(files))


def change(release: Release, old: bytes, new: bytes) -> None:
    """Change the release's data file."""
    path = release.files[0]
    assert path.name == BULK.name
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new, 1))


def decide(con: duckdb.DuckDBPyConnection, reason: str | None = None) -> None:
    """Set the status of the last loaded release, as the gate does."""
    (loaded_at,) = con.execute(
        "select max(loaded_at) from audit.releases where status = 'loaded'"
    ).fetchall()[0]
    with transaction(con):
        status = "rejected" if reason else "accepted"
        set_release_status(con, WDI.name, DAY, loaded_at, status, reason)
        if reason is None:
            drop_rows_not_current(con, WDI, DAY)


def state(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    """Everything that the ledger and the raw tables hold."""
    tables = ["audit.releases", *(f"raw.{table.name}" for table in WDI.tables)]
    return [row for table in tables for row in con.execute(f"from {table} order by all").fetchall()]


def statuses(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The status of the data file's entries, in the order of loading."""
    return [
        status
        for (status,) in con.execute(
            "select status from audit.releases where file_name = ? order by loaded_at", [BULK.name]
        ).fetchall()
    ]


def count(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.execute("select count(*) from raw.worldbank_wdi__observations").fetchall()[0][0])


def test_rows_and_ledger_say_the_same(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    loaded = load_release(con, WDI, release)
    assert loaded.rows == {
        "worldbank_wdi__observations": 48,
        "worldbank_wdi__countries": 6,
        "worldbank_wdi__indicators": 3,
    }
    assert con.execute(
        "select file_name, rows_read, rows_kept, status from audit.releases order by 1"
    ).fetchall() == [
        ("made_up_API.csv", 18, 12, "loaded"),
        ("made_up_Metadata_Country.csv", 6, 6, "loaded"),
        ("made_up_Metadata_Indicator.csv", 3, 3, "loaded"),
    ]
    assert con.execute(
        "select distinct _source, _release, _file, _loaded_at = loaded_at"
        " from raw.worldbank_wdi__observations join audit.releases on _file = file_name"
    ).fetchall() == [("worldbank_wdi", DAY, "made_up_API.csv", True)]


def test_lineage_points_at_the_cell(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    load_release(con, WDI, release)
    (found,) = con.execute(
        "select _file, _sheet, _row, _column, value from raw.worldbank_wdi__observations"
        " where country_code = 'JPN' and indicator_code = 'BX.GSR.ROYL.CD' and _column = '2013'"
    ).fetchall()
    assert found == ("made_up_API.csv", None, 14, "2013", "31600000000")
    line = release.files[0].read_text("utf-8-sig").splitlines()[14 - 1]
    assert line.startswith('"Japan"')
    assert "31600000000" in line


def test_nothing_stays_if_loading_breaks_midway(
    con: duckdb.DuckDBPyConnection, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_file = load._load_file

    def break_at_the_last(*arguments: object) -> object:
        if arguments[3] == release.files[-1]:
            raise duckdb.IOException("disk full")
        return load_file(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(load, "_load_file", break_at_the_last)
    with pytest.raises(duckdb.IOException):
        load_release(con, WDI, release)
    assert state(con) == []


def test_nothing_stays_if_the_ledger_cannot_be_written(
    con: duckdb.DuckDBPyConnection, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise duckdb.IOException("disk full")

    monkeypatch.setattr(load, "record_files", refuse)
    with pytest.raises(duckdb.IOException):
        load_release(con, WDI, release)
    assert state(con) == []


def test_a_bad_file_leaves_no_rows_and_its_whole_release_rejected(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    change(release, b'"Japan","JPN"', b'"Japan"')
    with pytest.raises(BadInput) as caught:
        load_release(con, WDI, release)
    assert count(con) == 0
    assert (
        con.execute("select status, reason from audit.releases").fetchall()
        == [("rejected", str(caught.value))] * 3
    )


def test_a_release_without_its_main_table_is_rejected(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    with pytest.raises(BadInput, match="without its main table"):
        load_release(con, WDI, Release(WDI.name, DAY, release.files[1:]))
    assert con.execute("select count(*) from raw.worldbank_wdi__countries").fetchall() == [(0,)]
    assert con.execute("select distinct status from audit.releases").fetchall() == [("rejected",)]


def test_a_rejected_release_can_be_loaded_once_it_is_fixed(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    change(release, b'"Japan","JPN"', b'"Japan"')
    with pytest.raises(BadInput):
        load_release(con, WDI, release)
    change(release, b'"Japan"', b'"Japan","JPN"')
    load_release(con, WDI, release)
    assert statuses(con) == ["loaded"]
    assert count(con) == 48


def test_the_same_bytes_are_not_loaded_twice(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    first = load_release(con, WDI, release)
    decide(con)
    before = state(con)
    os.utime(release.files[0], (1, 1))
    again = load_release(con, WDI, release)
    assert again.unchanged
    assert again.rows == first.rows
    assert state(con) == before


def test_a_load_without_a_gate_decision_is_replaced_by_the_next_load(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    load_release(con, WDI, release)
    load_release(con, WDI, release)
    assert statuses(con) == ["loaded"]
    assert count(con) == 48


def test_changed_bytes_of_an_accepted_release_are_an_error_and_change_nothing(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    load_release(con, WDI, release)
    decide(con)
    before = state(con)
    change(release, b"31600000000", b"31600000001")
    with pytest.raises(BadInput) as caught:
        load_release(con, WDI, release)
    problem = caught.value
    assert problem.what == "the files of an accepted release have changed"
    assert problem.where == "worldbank_wdi 2021-09-15"
    assert "make run RELOAD=worldbank_wdi/2021-09-15" in problem.fix
    assert state(con) == before


def test_an_additional_file_in_an_accepted_release_is_a_change(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    load_release(con, WDI, Release(WDI.name, DAY, release.files[:2]))
    decide(con)
    with pytest.raises(BadInput, match="have changed"):
        load_release(con, WDI, release)


def current_values(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    """The value of one cell in each accepted load."""
    return con.execute(
        "select value from raw.worldbank_wdi__observations join audit.releases"
        " on _file = file_name and _loaded_at = loaded_at where status = 'accepted'"
        " and country_code = 'JPN' and indicator_code = 'BX.GSR.ROYL.CD' and _column = '2013'"
    ).fetchall()


def test_a_reload_becomes_current_only_when_its_gate_has_passed(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    load_release(con, WDI, release)
    decide(con)
    change(release, b"31600000000", b"31600000001")
    load_release(con, WDI, release, reload=True)
    assert statuses(con) == ["accepted", "loaded"]
    assert current_values(con) == [("31600000000",)]
    decide(con)
    assert statuses(con) == ["superseded", "accepted"]
    assert current_values(con) == [("31600000001",)]
    assert count(con) == 48


def test_a_reload_whose_gate_fails_leaves_the_old_rows_current(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    load_release(con, WDI, release)
    decide(con)
    change(release, b"31600000000", b"31600000001")
    load_release(con, WDI, release, reload=True)
    decide(con, reason="made up")
    assert statuses(con) == ["accepted", "rejected"]
    assert current_values(con) == [("31600000000",)]


def test_an_unreadable_reload_leaves_the_old_rows_current(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    load_release(con, WDI, release)
    decide(con)
    change(release, b'"Japan","JPN"', b'"Japan"')
    with pytest.raises(BadInput):
        load_release(con, WDI, release, reload=True)
    assert statuses(con) == ["accepted", "rejected"]
    assert current_values(con) == [("31600000000",)]
    assert count(con) == 48


def test_releases_do_not_touch_each_other(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    load_release(con, WDI, release)
    decide(con)
    before = current_values(con)
    load_release(con, WDI, Release(WDI.name, date(2022, 1, 1), release.files))
    assert count(con) == 96
    assert current_values(con) == before


def test_the_gate_sees_one_load_of_one_release(
    con: duckdb.DuckDBPyConnection, release: Release
) -> None:
    load_release(con, WDI, release)
    decide(con)
    loaded = load_release(con, WDI, release, reload=True)
    query = loaded_rows_query(WDI.tables[0], DAY, loaded.files[0].loaded_at)
    assert count(con) == 96
    assert len(con.sql(query)) == 48


# Bulk files


BATIS = all_sources()["oecd_wto_batis"]
MIRROR = MADE_UP / "oecd_wto_batis" / "2025-12-01" / "made_up_wto_mirror.csv"


@pytest.fixture
def bulk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The made-up mirror, read as a bulk file is."""
    monkeypatch.setattr(csv_layout, "BULK_BYTES", 10)
    path = tmp_path / "bulk.csv"
    path.write_bytes(MIRROR.read_bytes())
    return path


def load_bulk(
    con: duckdb.DuckDBPyConnection, path: Path, source: Source = BATIS
) -> load.LoadResult:
    return load_release(con, source, Release(source.name, DAY, (path,)))


def test_a_bulk_file_is_counted_by_the_one_statement_that_reads_it(
    con: duckdb.DuckDBPyConnection, bulk: Path
) -> None:
    (entry,) = load_bulk(con, bulk).files
    assert (entry.rows_read, entry.rows_kept) == (7, 6)
    rows = con.execute(
        "select count(*), count(_row), count(distinct (reporter, partner, flow, item_code, year))"
        " from raw.oecd_wto_batis__observations"
    ).fetchall()
    assert rows == [(6, 0, 6)]


def test_a_bulk_file_from_its_zip_is_the_same(
    con: duckdb.DuckDBPyConnection, bulk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    path = tmp_path / "bulk.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(bulk, "bulk.csv")
    (entry,) = load_bulk(con, path).files
    assert (entry.rows_read, entry.rows_kept) == (7, 6)
    assert list(scratch.iterdir()) == []  # nothing unpacked is left behind


def test_all_items_can_be_kept(con: duckdb.DuckDBPyConnection, bulk: Path) -> None:
    (entry,) = load_bulk(con, bulk, BATIS.configured(Settings(batis_all_items=True))).files
    assert (entry.rows_read, entry.rows_kept) == (7, 7)


def test_a_bulk_file_with_a_broken_record_is_refused_with_its_line(
    con: duckdb.DuckDBPyConnection, bulk: Path
) -> None:
    bulk.write_bytes(bulk.read_bytes().rstrip()[:-8] + b"\n")
    with pytest.raises(BadInput) as caught:
        load_bulk(con, bulk)
    assert caught.value.where == "bulk.csv, line 8"
    assert "Expected Number of Columns: 12 Found: 10" in caught.value.found
    assert con.execute("select count(*) from raw.oecd_wto_batis__observations").fetchall() == [(0,)]
    assert con.execute("select status from audit.releases").fetchall() == [("rejected",)]


def test_a_bulk_file_truncated_within_its_last_figure_is_refused(
    con: duckdb.DuckDBPyConnection, bulk: Path
) -> None:
    bulk.write_bytes(bulk.read_bytes().rstrip()[:-1])
    with pytest.raises(BadInput, match="truncated in its last record"):
        load_bulk(con, bulk)
    assert con.execute("select status from audit.releases").fetchall() == [("rejected",)]


@pytest.mark.parametrize("folder", ["a[b]*?", "it's", "item_code=SH"])
def test_the_names_of_a_bulk_files_folders_mean_nothing(
    con: duckdb.DuckDBPyConnection, bulk: Path, folder: str
) -> None:
    path = bulk.parent / folder / bulk.name
    path.parent.mkdir()
    bulk.rename(path)
    (entry,) = load_bulk(con, path).files
    assert (entry.rows_read, entry.rows_kept) == (7, 6)
