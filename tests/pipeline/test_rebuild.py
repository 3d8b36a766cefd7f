"""Rebuilding the workbench from the landing folder: the same warehouse, and no decision lost."""

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.ingest import pending_releases
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.manual_decisions import accept, reject
from dagster_project.ingest.pending_releases import find_release
from dagster_project.pipeline import rebuild as module
from dagster_project.pipeline.run import PUBLISHED, PUBLISHED_WITH_REJECTIONS
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench
from dagster_project.workbench.replaced import leftovers, replaced_workbenches
from tests.support import BARE, GARBAGE, Scenario, Warehouse, rebuilt, rows

VERDICTS = (
    "select source, release_date::varchar, status, reason from audit.releases"
    " where source = 'worldbank_wdi' order by release_date"
)


@pytest.fixture
def no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the build: these tests check the workbench."""
    monkeypatch.setattr(module, "build", lambda settings, instance, failures: True)


@pytest.fixture
def world_bank_alone(no_build: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the packaged sources, too: thousands of rates, loaded each time."""
    world_bank = all_sources()["worldbank_wdi"]
    monkeypatch.setattr(pending_releases, "all_sources", lambda: {world_bank.name: world_bank})


def checksums(published: Path) -> dict[str, tuple]:
    """Rows and checksum of each table of core and marts."""
    tables = rows(
        published,
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where schema_name in ('core', 'marts') order by 1",
    )
    return {
        name: rows(published, f"select count(*), bit_xor(hash(t)) from {name} as t")[0]
        for (name,) in tables
    }


def test_the_rebuilt_warehouse_equals_the_old_one(
    after_damage: Scenario, template: Scenario
) -> None:
    assert after_damage.outcome.code == PUBLISHED
    old, new = (s.warehouse.settings.warehouse for s in (template, after_damage))
    assert checksums(new) == checksums(old)
    assert sum(count for count, _ in checksums(new).values()) > 1000
    assert file_sha256(new) != file_sha256(old)  # it is another publication


@pytest.mark.parametrize(
    "query",
    [
        "select * exclude (loaded_at) from audit.releases order by all",
        # one entry per table and release, or per table and candidate: the latest
        "select gate, table_name, release_date, arg_max((success, expectations, failed, details),"
        " checked_at) from audit.gate_results group by all order by all",
    ],
    ids=["releases", "gate results"],
)
def test_the_rebuilt_ledger_equals_the_old_one_except_for_times(
    after_damage: Scenario, template: Scenario, query: str
) -> None:
    found = after_damage.warehouse.published(query)
    assert found == template.warehouse.published(query)
    assert len(found) > 10


def test_the_history_of_publications_and_the_old_file_are_kept(
    after_damage: Scenario, template: Scenario
) -> None:
    history = "select publication_id from audit.publication order by published_at"
    (before,) = template.warehouse.published(history)
    assert after_damage.warehouse.published(history)[:-1] == [before]
    (aside,) = replaced_workbenches(after_damage.warehouse.settings)
    assert aside.read_bytes() == GARBAGE
    assert not leftovers(after_damage.warehouse.settings).exists()
    assert "the old workbench cannot be read" in after_damage.outcome.output


def land_a_good_and_a_bad_release(warehouse: Warehouse) -> None:
    warehouse.land("worldbank_wdi", "2016-03-01", "made_up.csv", BARE.read_bytes())
    china_alone = "".join(BARE.read_text().splitlines(keepends=True)[:2])
    warehouse.land("worldbank_wdi", "2016-04-01", "made_up.csv", china_alone)


def load_and_decide_against_the_gate(warehouse: Warehouse) -> None:
    """An old ledger in which a person rejected the good release and accepted the bad one."""
    source = all_sources()["worldbank_wdi"]
    with open_workbench(warehouse.settings) as con:
        for release in ("2016-03-01", "2016-04-01"):
            load_release(con, source, find_release(source, warehouse.landing, release))
        con.execute(
            "update audit.releases set status = 'accepted' where release_date < '2016-04-01'"
        )
        con.execute(
            "update audit.releases set status = 'rejected' where release_date = '2016-04-01'"
        )
        reject(con, "worldbank_wdi/2016-03-01", "withdrawn")
        accept(con, "worldbank_wdi/2016-04-01", "China alone was revised")


BY_HAND = [
    ("worldbank_wdi", "2016-03-01", "rejected", "rejected by hand: withdrawn"),
    ("worldbank_wdi", "2016-04-01", "accepted", "accepted by hand: China alone was revised"),
]


@pytest.mark.usefixtures("world_bank_alone")
def test_decisions_by_hand_are_repeated(folders: Warehouse) -> None:
    land_a_good_and_a_bad_release(folders)
    load_and_decide_against_the_gate(folders)
    outcome = rebuilt(folders)
    assert outcome.code == PUBLISHED_WITH_REJECTIONS
    assert "manual decisions are taken from the old workbench" in outcome.output
    assert folders.workbench(VERDICTS) == BY_HAND
    assert folders.workbench(
        "select decision, reason from audit.decisions order by decided_at"
    ) == [
        ("reject", "withdrawn"),
        ("accept", "China alone was revised"),
        ("rebuild", "decisions taken from the old workbench"),
    ]


@pytest.mark.usefixtures("world_bank_alone")
def test_a_structurally_broken_release_is_not_accepted_again(folders: Warehouse) -> None:
    land_a_good_and_a_bad_release(folders)
    twice = BARE.read_text().replace("NAM", "CHN")  # accepted while the gate did not look for it
    folders.land("worldbank_wdi", "2016-04-01", "made_up.csv", twice)
    load_and_decide_against_the_gate(folders)
    with pytest.raises(BadInput, match=r"2016-04-01: made_up\.csv is rejected now"):
        rebuilt(folders)


@pytest.mark.usefixtures("world_bank_alone")
def test_decisions_come_from_the_published_file_if_there_is_no_workbench(
    folders: Warehouse,
) -> None:
    land_a_good_and_a_bad_release(folders)
    load_and_decide_against_the_gate(folders)
    folders.settings.workbench.rename(folders.settings.warehouse)  # it holds the same ledger
    outcome = rebuilt(folders)
    assert "manual decisions are taken from the published file" in outcome.output
    assert folders.workbench(VERDICTS) == BY_HAND


@pytest.mark.usefixtures("world_bank_alone")
def test_a_decision_on_other_bytes_is_not_repeated(folders: Warehouse) -> None:
    land_a_good_and_a_bad_release(folders)
    load_and_decide_against_the_gate(folders)
    folders.land("worldbank_wdi", "2016-03-01", "made_up.csv", BARE.read_text() + "\n")
    rebuilt(folders)
    assert folders.workbench(VERDICTS)[0][2:] == ("accepted", None)


@pytest.mark.usefixtures("world_bank_alone")
def test_a_current_release_whose_files_are_gone_is_not_lost_in_silence(
    folders: Warehouse,
) -> None:
    land_a_good_and_a_bad_release(folders)
    load_and_decide_against_the_gate(folders)
    before = file_sha256(folders.settings.workbench)
    shutil.rmtree(folders.landing / "worldbank_wdi" / "2016-04-01")
    with pytest.raises(BadInput, match=r"2016-04-01: made_up\.csv is not in the landing"):
        rebuilt(folders)
    assert file_sha256(folders.settings.workbench) == before
    rebuilt(folders, force=True)
    assert folders.workbench(VERDICTS) == BY_HAND[:1]


@pytest.mark.usefixtures("world_bank_alone")
def test_a_crash_at_the_swap_leaves_the_old_workbench_in_place(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_a_good_and_a_bad_release(folders)
    load_and_decide_against_the_gate(folders)
    before = file_sha256(folders.settings.workbench)

    def crash(*paths: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            rebuilt(folders)
    assert file_sha256(folders.settings.workbench) == before
    assert leftovers(folders.settings).exists()
    rebuilt(folders)
    assert folders.workbench(VERDICTS) == BY_HAND


@pytest.mark.usefixtures("no_build")
def test_a_stale_write_ahead_log_is_not_applied_to_the_new_workbench(folders: Warehouse) -> None:
    folders.landing.mkdir()
    folders.settings.warehouse_dir.mkdir(parents=True)
    log = Path(f"{folders.settings.workbench}.wal")
    for path in (folders.settings.workbench, log):
        path.write_bytes(GARBAGE)
    outcome = rebuilt(folders)
    assert "neither an old workbench nor a published file can be read" in outcome.output
    assert not log.exists()
    with duckdb.connect(folders.settings.workbench) as con:
        assert con.execute("select count(*) from audit.releases").fetchall()[0][0] > 0
    assert [path.suffix for path in replaced_workbenches(folders.settings)] == [".duckdb", ".wal"]
