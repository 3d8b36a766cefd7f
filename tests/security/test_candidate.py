"""What is published is what was gated: a candidate changed after its gates is refused by name."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import Settings
from dagster_project.publication import publish as publishing
from dagster_project.publication.kept_files import kept_publications
from dagster_project.publication.publish import reconcile
from dagster_project.publication.rollback import roll_back
from tests.publication.test_publish import refusal
from tests.support import Warehouse, execute, interrupt

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
    warehouse: Warehouse, candidate: Path, sql: str, how: Callable[[Path, str], None]
) -> None:
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
    assert refusal(warehouse) == f"the gate on {TABLE} has not recorded its checksum"


FOREIGN = {
    "the view main.extra is not the project's": "create view extra as select 1 as a",
    "the view core.secrets is not the project's": (
        "create view core.secrets as select content from read_text('/etc/hostname')"
    ),
    "the view audit.decisions is not the project's": (
        "drop table audit.decisions;"
        " create view audit.decisions as select content from read_text('/etc/hostname')"
    ),
    "the macro main.extra is not the project's": "create macro extra(a) as a + 1",
    "the macro main.count is not the project's": "create macro count(a) as 1",
    "the macro main.lineage_of is not as in the project": (
        "create or replace macro lineage_of(reporter, of_period, partner := 'WLD', sector := '_T',"
        " category := '_T', affiliation := '_T', region := '_T') as table"
        " select * from read_text('/etc/hostname')"
    ),
    "the macro main.balance_of is missing": "drop macro table balance_of",
    "the table main.extra is not the project's": "create table extra as select 1 as a",
    "the table audit.extra is not the project's": "create table audit.extra as select 1 as a",
    "the table core.dim_region is missing": "drop table core.dim_region",
    "the schema extra is not the project's": "create schema extra",
    "the table extra.flows is not the project's": (
        f"create schema extra; create table extra.flows as from {TABLE}"
    ),
    "the type main.extra is not the project's": "create type extra as enum ('a')",
    "the sequence main.extra is not the project's": "create sequence extra",
    "the index core.extra is not the project's": f"create index extra on {TABLE} (source)",
    f"the table {TABLE} is not as in the project": (
        f"alter table {TABLE} alter column receipts set default 1"
    ),
    "the table core.dim_source is not as in the project": (
        "alter table core.dim_source alter column licence drop not null"
    ),
    "the table core.dim_sector is not as in the project": (
        "alter table core.dim_sector add column extra integer"
    ),
    "the table core.dim_concept is not as in the project": (
        "alter table core.dim_concept rename column concept to extra"
    ),
    f"the comment on {TABLE} is not as in the project": f"comment on table {TABLE} is 'extra'",
    f"the comment on {TABLE}.source is missing": f"comment on column {TABLE}.source is null",
    "the comment on core.dim_region is missing": "comment on table core.dim_region is null",
}


@pytest.mark.parametrize(("reason", "sql"), FOREIGN.items())
def test_an_object_that_is_not_the_projects_is_refused_by_name(
    warehouse: Warehouse, candidate: Path, reason: str, sql: str
) -> None:
    swap(candidate, sql)
    assert reason in refusal(warehouse).split("; ")


def test_a_file_swapped_or_written_to_after_its_verification_is_refused(
    warehouse: Warehouse, candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: Path) -> None:
        times = path.stat()
        with path.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\1")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def replace(path: Path) -> None:
        os.utime(shutil.copyfile(path, path.with_name("copy")), ns=(0, path.stat().st_mtime_ns))
        path.with_name("copy").replace(path)

    def hostile_sha256(attack: Callable[[Path], None], path: Path) -> str:
        digest = file_sha256(path)
        attack(path)
        return digest

    for attack in (write, replace):
        monkeypatch.setattr(publishing, "file_sha256", partial(hostile_sha256, attack))
        assert "it was replaced or written to" in refusal(warehouse)
        warehouse.restore_candidate()


@pytest.mark.parametrize(
    ("reason", "attack"),
    [
        ("it has another name", lambda path: os.link(path, path.with_name("other"))),
        (
            "it has a write-ahead log",
            lambda path: path.with_name(f"{path.name}.wal").write_bytes(b""),
        ),
    ],
)
def test_a_file_that_others_could_change_is_refused(
    warehouse: Warehouse,
    candidate: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
    attack: Callable[[Path], object],
) -> None:
    complete = publishing._complete

    def hostile_complete(settings: Settings, *rest: Any) -> None:
        complete(settings, *rest)
        attack(settings.candidate)

    monkeypatch.setattr(publishing, "_complete", hostile_complete)
    assert refusal(warehouse) == reason


def test_a_file_that_is_a_link_is_refused(warehouse: Warehouse, candidate: Path) -> None:
    elsewhere = candidate.rename(candidate.parent.parent / "elsewhere.duckdb")
    candidate.symlink_to(elsewhere)
    assert "it is not a regular file" in refusal(warehouse)


def test_the_candidates_folder_is_closed_to_others(warehouse: Warehouse, candidate: Path) -> None:
    candidate.parent.chmod(0o777)
    warehouse.publish_candidate()
    assert candidate.parent.stat().st_mode & 0o777 == 0o700


def test_the_sha256_of_the_published_file_is_kept_outside_it(
    warehouse: Warehouse, candidate: Path
) -> None:
    settings = warehouse.settings
    identity = warehouse.publish_candidate().publication_id
    sha256 = file_sha256(settings.warehouse)
    assert warehouse.workbench(
        f"select sha256, bytes from audit.published_files where publication_id = '{identity}'"
    ) == [(sha256, settings.warehouse.stat().st_size)]
    kept = settings.publications / f"royalty_flows-{identity}.duckdb"
    assert kept.with_name(f"{kept.name}.sha256").read_text() == f"{sha256}  {kept.name}\n"
    package = json.loads((settings.exports / "current" / "datapackage.json").read_text())
    assert package["database"]["hash"] == f"sha256:{sha256}"


def test_an_interrupted_publication_that_was_swapped_does_not_go_live(
    warehouse: Warehouse, candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = warehouse.settings
    before = file_sha256(settings.warehouse)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "activate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    intact = kept_publications(settings)[0]
    copy = Path(shutil.copyfile(intact, settings.warehouse_dir / "intact"))
    swap(intact, A_NUMBER)
    assert reconcile(settings) is None
    assert file_sha256(settings.warehouse) == before
    copy.replace(intact)
    assert reconcile(settings) == intact
    assert settings.warehouse.samefile(intact)


def test_a_kept_publication_that_was_swapped_is_not_rolled_back_to(
    warehouse: Warehouse, candidate: Path
) -> None:
    warehouse.publish_candidate()
    first = kept_publications(warehouse.settings)[0]
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    swap(first, "comment on table core.dim_region is 'extra'")
    with pytest.raises(BadInput, match="the kept publication is damaged") as caught:
        roll_back(warehouse.settings)
    assert f"the SHA-256 of {first.name} is " in caught.value.found


def test_a_gate_does_not_read_a_candidate_with_a_macro_of_its_own(
    warehouse: Warehouse, candidate: Path
) -> None:
    change(candidate, "create macro count(a) as 1")
    key = dg.AssetCheckKey(dg.AssetKey(["core", "dim_region"]), "gate")
    result = execute(dg.AssetSelection.checks(key))
    (failure,) = result.get_step_failure_events()
    assert "the macro main.count is not the project's" in str(failure.step_failure_data.error)
