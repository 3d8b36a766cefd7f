"""The file from which a build starts."""

import duckdb
import pytest

from dagster_project.publication.candidate import (
    create_candidate,
    publication_to_start_from,
    remove_candidate,
)
from dagster_project.publication.comparison import differences
from dagster_project.workbench.connection import open_workbench
from tests.support import Warehouse


def base(warehouse: Warehouse) -> str | None:
    with open_workbench(warehouse.settings) as con:
        return publication_to_start_from(warehouse.settings, con)


def test_a_build_starts_from_the_live_publication(warehouse: Warehouse) -> None:
    (candidate,) = warehouse.published(
        "select max_by(candidate_id, published_at) from audit.publication"
    )
    assert base(warehouse) == candidate[0]


@pytest.mark.parametrize(
    "change",
    [
        "update audit.candidates set project = 'another version'",
        "update audit.candidates set project = null",  # of an earlier version
        "delete from audit.candidates",  # pruned, or a workbench that was rebuilt
        "update audit.published_files set sha256 = 'another'",  # its bytes have changed
        "delete from audit.published_files",
    ],
)
def test_it_starts_from_nothing_if_the_ledger_does_not_know_the_file(
    warehouse: Warehouse, change: str
) -> None:
    with open_workbench(warehouse.settings) as con:
        con.execute(change)
    assert base(warehouse) is None


def test_it_starts_from_nothing_without_a_live_file_or_with_a_damaged_one(
    warehouse: Warehouse,
) -> None:
    live = warehouse.settings.warehouse
    live.unlink()
    assert base(warehouse) is None
    live.write_bytes(b"no database")
    assert base(warehouse) is None


def test_the_copy_has_everything_but_the_ledger(warehouse: Warehouse) -> None:
    settings = warehouse.settings
    remove_candidate(settings)
    create_candidate(settings, "a candidate", copy_live=True)
    assert settings.candidate.stat().st_mode & 0o777 == 0o600
    with duckdb.connect(settings.candidate, read_only=True) as con:
        assert con.execute("from audit.candidate").fetchall() == [("a candidate",)]
        ledger = "select table_name from duckdb_tables() where schema_name = 'audit'"
        assert con.execute(ledger).fetchall() == [("candidate",)]
    found = differences(settings.warehouse, settings.candidate)
    assert not [line for line in found if "audit." not in line], found


def test_a_file_with_many_free_blocks_is_copied_by_its_contents(warehouse: Warehouse) -> None:
    settings = warehouse.settings
    live = settings.warehouse
    live.chmod(0o600)
    with duckdb.connect(live) as con:
        con.execute("create table waste as select range as n, hash(range) as h from range(3000000)")
        con.execute("checkpoint")
        con.execute("drop table waste")
        con.execute("checkpoint")
        free = con.execute(
            "select free_blocks / total_blocks from pragma_database_size()"
        ).fetchall()[0][0]
    assert free > 0.25
    remove_candidate(settings)
    create_candidate(settings, "a candidate", copy_live=True)
    assert settings.candidate.stat().st_size < live.stat().st_size / 2
    assert settings.candidate.stat().st_mode & 0o077 == 0
    found = differences(live, settings.candidate)
    assert not [line for line in found if "audit." not in line], found
