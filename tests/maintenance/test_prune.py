"""Pruning deletes obsolete rows and files; live, current and shown ones stay."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.base.hashing import file_sha256
from dagster_project.defs.run_history import old_runs
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.pending_releases import find_release
from dagster_project.maintenance import prune as module
from dagster_project.maintenance.prune import prune
from dagster_project.publication.kept_files import kept_publications, publication_id
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench
from tests.support import BARE, Warehouse


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance with its files in a folder."""
    folder = tmp_path / "instance"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


def pruned(
    warehouse: Warehouse, instance: dg.DagsterInstance, *, dry_run: bool = False
) -> list[str]:
    return prune(warehouse.settings, partial(old_runs, instance), dry_run=dry_run)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Move everything in the ledger 100 days back."""
    now = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=100)
    monkeypatch.setattr(module, "_now", lambda: now)


def test_there_is_nothing_to_remove_from_a_fresh_warehouse(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    assert pruned(warehouse, instance) == []


@pytest.mark.usefixtures("later")
def test_the_live_candidate_keeps_its_entries_and_older_ones_lose_theirs(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    entries = "select count(*) from audit.gate_results"
    before = warehouse.workbench(entries)
    assert pruned(warehouse, instance) == []
    warehouse.change_ledger(
        "insert into audit.candidates by name select 'old' as candidate_id, 'run' as run_id,"
        " 'print' as fingerprint, timestamp '2000-01-01' as started_at;"
        "insert into audit.gate_results select * replace ('old' as candidate_id)"
        " from audit.gate_results limit 3"
    )
    (said,) = pruned(warehouse, instance)
    assert said.endswith(": 3 gate_results, 1 candidates")
    assert warehouse.workbench(entries) == before
    assert warehouse.workbench("select 1 from audit.candidates where candidate_id = 'old'") == []


def test_publications_beyond_the_setting_are_deleted_but_never_the_live_one(
    warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = publication_id(warehouse.settings)
    for name in ("29990101T000000000", "29990102T000000000"):
        (warehouse.settings.publications / f"royalty_flows-{name}.duckdb").write_text("made up")
    monkeypatch.setenv("ROYALTY_KEEP_PUBLICATIONS", "1")
    (said,) = pruned(warehouse, instance)
    assert said.startswith("publication 29990101T000000000")
    assert len(kept_publications(warehouse.settings)) == 2
    assert publication_id(warehouse.settings) == present


def load_rejected(warehouse: Warehouse) -> None:
    warehouse.land("worldbank_wdi", "2016-03-01", "made_up.csv", BARE.read_bytes())
    source = all_sources()["worldbank_wdi"]
    with open_workbench(warehouse.settings) as con:
        load_release(con, source, find_release(source, warehouse.landing, "2016-03-01"))
        con.execute("update audit.releases set status = 'rejected', reason = 'because'")


ROWS = "select count(*) from raw.worldbank_wdi__observations"


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_rows_of_old_rejected_releases_are_deleted_and_their_verdict_stays(
    folders: Warehouse, instance: dg.DagsterInstance, request: pytest.FixtureRequest, status: str
) -> None:
    load_rejected(folders)
    folders.change_ledger(f"update audit.releases set status = '{status}'")
    assert pruned(folders, instance) == []  # not long ago
    request.getfixturevalue("later")
    said = pruned(folders, instance)
    if status == "rejected":
        assert [text.split(",")[0] for text in said] == [
            "21 rows of raw.worldbank_wdi__observations"
        ]
    else:
        assert said == []
    assert folders.workbench(ROWS) == [(0 if status == "rejected" else 21,)]
    assert folders.workbench("select status, reason from audit.releases") == [(status, "because")]


def test_a_dry_run_says_the_same_and_changes_nothing(
    folders: Warehouse, instance: dg.DagsterInstance, request: pytest.FixtureRequest
) -> None:
    load_rejected(folders)
    request.getfixturevalue("later")
    (folders.settings.warehouse_dir / "workbench-replaced-20000101T000000000000.duckdb").touch()
    (folders.settings.warehouse_dir / "rebuild").mkdir()
    before = file_sha256(folders.settings.workbench)
    would = pruned(folders, instance, dry_run=True)
    assert len(would) == 3
    assert file_sha256(folders.settings.workbench) == before
    assert len(list(folders.settings.warehouse_dir.iterdir())) >= 3
    assert pruned(folders, instance) == would
    assert [path.name for path in folders.settings.warehouse_dir.iterdir() if path.is_dir()] == []
    assert pruned(folders, instance) == []


def test_a_workbench_that_is_mostly_free_is_rewritten_with_all_that_is_in_it(
    warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = (
        "select schema_name, table_name from duckdb_tables() order by all",
        "select schema_name, view_name from duckdb_views() where not internal order by all",
        "from audit.releases order by all",
        "select count(*), bit_xor(hash(u)) from intermediate.int_united_observations as u",
    )
    assert pruned(warehouse, instance) == []
    warehouse.change_ledger(
        "create table bulk as select uuid()::varchar as text from range(2000000); checkpoint;"
        "create table last as select uuid()::varchar as text from range(10000); checkpoint;"
        "drop table bulk; checkpoint"  # DuckDB itself frees the end of a file
    )
    before = [warehouse.workbench(query) for query in everything]
    size = warehouse.settings.workbench.stat().st_size
    assert pruned(warehouse, instance) == []  # not worth it
    monkeypatch.setattr(module, "_WORTH_REWRITING_BYTES", 2**20)
    (said,) = pruned(warehouse, instance)
    assert said.startswith("free space within the workbench: ")
    assert warehouse.settings.workbench.stat().st_size < size / 2
    assert [warehouse.workbench(query) for query in everything] == before


def test_old_runs_are_deleted_except_those_that_the_ui_shows(
    folders: Warehouse, instance: dg.DagsterInstance, request: pytest.FixtureRequest
) -> None:
    partitions = dg.StaticPartitionsDefinition(["a", "b"])

    @dg.asset(partitions_def=partitions)
    def made_up() -> None:
        print("made up")

    runs = {
        (part, number): dg.materialize([made_up], instance=instance, partition_key=part).run_id
        for part, number in (("a", 1), ("b", 1), ("a", 2))
    }
    assert pruned(folders, instance) == []
    request.getfixturevalue("later")
    (said,) = pruned(folders, instance)
    assert said.startswith("1 Dagster runs before ")
    assert {run.run_id for run in instance.get_runs()} == {runs["b", 1], runs["a", 2]}
    assert instance.get_materialized_partitions(made_up.key) == {"a", "b"}
    assert list(Path(instance.root_directory).rglob(f"*{runs['a', 1]}*")) == []
