"""Verifying the live publication by building it again from nothing."""

import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.__main__ import main
from dagster_project.alerts.message import Alert
from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.pipeline import verification as module
from dagster_project.pipeline.verification import verify_by_rebuild
from dagster_project.publication import verify as verify_module
from dagster_project.publication.integrity import checksums, integrity_errors
from tests.support import BARE, Warehouse

FLOWS = "core.fct_royalty_flows"


def falsify(published: Path, *statements: str) -> None:
    """Change a publication as a wrong incremental build would: its checksums agree with it."""
    published.chmod(0o644)
    with duckdb.connect(published) as con:
        for sql in statements:
            con.execute(sql)
        found = [row for row in checksums(con) if not row[0].startswith("audit.")]
        con.execute("delete from audit.checksums where table_name not like 'audit.%'")
        con.executemany("insert into audit.checksums values (?, ?, ?)", found)
    assert integrity_errors(published) == []


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of each file, by name."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


@pytest.fixture
def same_again(monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse) -> None:
    """Instead of building, copy the publication that was live when the test began."""
    original = warehouse.folder / "original.duckdb"
    shutil.copyfile(warehouse.settings.warehouse, original)

    def build(settings: Settings, *_: object, **__: object) -> bool:
        shutil.copyfile(original, settings.warehouse)
        return True

    monkeypatch.setattr(module, "build", build)


def test_what_differs_from_a_publication_built_from_nothing_is_listed_and_nothing_else(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    warehouse.land("worldbank_wdi", "2016-09-01", "made_up_new.csv", BARE.read_bytes())
    with_other_bytes = warehouse.landing / "iso_country_codes" / "2026-10-30"
    next(with_other_bytes.iterdir()).write_text("not as it was loaded")
    shutil.rmtree(warehouse.landing / "ons_itis")
    falsify(
        warehouse.settings.warehouse,
        f"update {FLOWS} set receipts = coalesce(receipts, 0) + 1 where rowid = 0",
        "delete from marts.mart_world_ranking where rowid = 0",
        "comment on table core.dim_sector is 'another'",
    )
    before = contents(warehouse.settings.warehouse_dir)
    found = verify_by_rebuild(warehouse.settings)
    assert [line.partition(":")[0] for line in found] == [
        "table core.dim_sector",
        "rows of audit.checksums",
        f"rows of {FLOWS}",
        "rows of marts.mart_world_ranking",
    ], found
    assert contents(warehouse.settings.warehouse_dir) == before


@pytest.mark.usefixtures("same_again")
def test_an_incremental_publication_with_a_stale_partition_is_found(warehouse: Warehouse) -> None:
    assert verify_by_rebuild(warehouse.settings) == []
    source = "'worldbank_wdi'"
    falsify(
        warehouse.settings.warehouse,
        f"create table core.old as from {FLOWS} where source = {source}",
        f"delete from {FLOWS} where source = {source}",
        f"insert into {FLOWS} select * replace (receipts + 1 as receipts) from core.old",
        "drop table core.old",
    )
    found = verify_by_rebuild(warehouse.settings)
    assert [line.partition(":")[0] for line in found] == [
        "rows of audit.checksums",
        f"rows of {FLOWS}",
    ]


@pytest.mark.usefixtures("same_again")
def test_files_that_are_gone_with_their_rows_are_reported(warehouse: Warehouse) -> None:
    shutil.rmtree(warehouse.landing / "ons_itis")
    warehouse.change_ledger("delete from raw.ons_itis__intellectual_property")
    with pytest.raises(BadInput, match=r"neither for ons_itis/2021-07-12"):
        verify_by_rebuild(warehouse.settings)
    warehouse.settings.workbench.unlink()
    with pytest.raises(BadInput, match=r"neither for ons_itis/2021-07-12"):
        verify_by_rebuild(warehouse.settings)


def test_there_must_be_a_publication(folders: Warehouse) -> None:
    with pytest.raises(BadInput, match="nothing to verify"):
        verify_by_rebuild(folders.settings)
    assert not folders.settings.warehouse_dir.exists()


def test_only_a_publication_of_the_present_project_can_be_verified(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "fingerprint_of", lambda accepted: "another")
    with pytest.raises(BadInput, match="another version of the project"):
        verify_by_rebuild(warehouse.settings)


def test_a_release_that_is_rejected_only_when_it_is_built_from_nothing_is_reported(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(settings: Settings, dagster: object, failures: list[Alert], **_: object) -> bool:
        failures.append(Alert("REJECTED ons_itis 2021-07-12", "too few rows"))
        return False

    monkeypatch.setattr(module, "build", build)
    assert verify_by_rebuild(warehouse.settings) == [
        "built from nothing: REJECTED ons_itis 2021-07-12: too few rows"
    ]


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ([], 0, "equals one that was built from nothing"),
        (["rows of core.a: 1"], 1, "DIFFERENT rows of core.a: 1"),
    ],
)
def test_the_command_reports_differences(
    found: list[str],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "verify_by_rebuild", lambda settings: found)
    monkeypatch.setattr(verify_module, "verify", lambda settings: verify_module.Verification())
    assert main(["verify", "--rebuild"]) == code
    assert said in capsys.readouterr().out
