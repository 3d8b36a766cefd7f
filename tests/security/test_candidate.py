"""What is published is what was gated: a candidate changed after its gates is refused by name."""

import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.hashing import file_sha256
from tests.publication.test_publish import refusal
from tests.support import Warehouse

TABLE = "core.fct_royalty_flows"
A_NUMBER = f"update {TABLE} set receipts = coalesce(receipts, 0) + 1 where rowid = 0"


@pytest.fixture
def candidate(warehouse: Warehouse) -> Path:
    """The file of a candidate that may be published."""
    warehouse.restore_candidate()
    return warehouse.settings.candidate


def change(path: Path, sql: str) -> None:
    with duckdb.connect(path) as con:
        con.execute(sql)


def swap(path: Path, sql: str) -> None:
    """Put a changed copy in the candidate's place."""
    copy = Path(shutil.copyfile(path, path.with_name("copy")))
    change(copy, sql)
    copy.replace(path)


@pytest.mark.parametrize("how", [change, swap])
@pytest.mark.parametrize(
    "sql",
    [
        A_NUMBER,
        f"delete from {TABLE} where rowid = 0",
        f"insert into {TABLE} from {TABLE} limit 1",
    ],
)
def test_a_table_changed_after_its_gate_is_refused_with_both_checksums(
    warehouse: Warehouse, candidate: Path, sql: str, how: object
) -> None:
    assert callable(how)
    ((rows, checksum),) = warehouse.workbench(
        f"select row_count, checksum from audit.gate_results where table_name = '{TABLE}'"
    )
    how(candidate, sql)
    message = refusal(warehouse)
    assert message.startswith(
        f"{TABLE} is not as its gate saw it: {rows:,} rows, checksum {checksum} then; "
    )
    assert " rows, checksum " in message.partition("then; ")[2]


def test_gates_record_what_is_published(warehouse: Warehouse) -> None:
    of_gates = warehouse.published(
        "select table_name, row_count, checksum from audit.gate_results"
        " where split_part(table_name, '.', 1) in ('core', 'marts') order by all"
    )
    assert of_gates == warehouse.published(
        "from audit.checksums where not starts_with(table_name, 'audit.') order by all"
    )
    assert len(of_gates) > 50
    ((without,),) = warehouse.published(
        "select count(*) from audit.gate_results where suite_sha256 is null"
    )
    assert without == 0


def test_a_gate_without_a_checksum_does_not_count(warehouse: Warehouse, candidate: Path) -> None:
    warehouse.change_ledger(
        f"update audit.gate_results set checksum = null where table_name = '{TABLE}'"
    )
    before = file_sha256(candidate)
    assert refusal(warehouse) == f"the gate on {TABLE} has not recorded its checksum"
    assert file_sha256(candidate) == before
