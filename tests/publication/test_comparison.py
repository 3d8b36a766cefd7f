import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.publication.comparison import differences, rows_apart
from tests.support import Scenario

FLOWS = "core.fct_royalty_flows"
PER_TABLE = "(select * from core.fct_royalty_flows order by all)"


@pytest.fixture
def original(template: Scenario) -> Path:
    return template.warehouse.settings.warehouse


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(original, tmp_path / "copy.duckdb"))


def change(path: Path, *statements: str) -> None:
    with duckdb.connect(path) as con:
        for sql in statements:
            con.execute(sql)


def test_a_publication_equals_its_copy(original: Path, copy: Path) -> None:
    assert differences(original, copy) == []


EQUAL = {
    "rows in another order": [
        f"create table core.other as {PER_TABLE}",
        f"delete from {FLOWS}",
        f"insert into {FLOWS} select * from core.other order by all desc",
        "drop table core.other",
    ],
    "other times and ids": [
        "update audit.releases set loaded_at = loaded_at + interval 1 day",
        "update audit.gate_results set run_id = 'another', candidate_id = 'another',"
        " checked_at = checked_at + interval 1 day where candidate_id is not null",
        "update audit.publication set publication_id = 'another', candidate_id = 'another',"
        " run_id = 'another', fingerprint = 'another'",
    ],
    "loads that are not current": [
        "insert into audit.releases select * replace ('rejected' as status,"
        " 'another' as sha256) from audit.releases limit 1",
        "insert into audit.releases select * replace ('superseded' as status,"
        " 'another' as sha256) from audit.releases limit 1",
    ],
    "a decision": [
        "insert into audit.decisions values (now(), 'reject', 'a/2020-01-01', 'made up')"
    ],
    "an earlier result of a gate": [
        "insert into audit.gate_results select * replace (false as success,"
        " checked_at - interval 1 hour as checked_at) from audit.gate_results"
        f" where table_name = '{FLOWS}'"
    ],
}


@pytest.mark.parametrize("statements", EQUAL.values(), ids=EQUAL)
def test_order_and_history_make_no_difference(
    original: Path, copy: Path, statements: list[str]
) -> None:
    change(copy, *statements)
    assert differences(original, copy) == []


# What a line begins with -> changes of the copy that it is to name.
DIFFERENT = {
    f"rows of {FLOWS}: 1 in the first file alone, 1 in the second alone": [
        f"update {FLOWS} set receipts = coalesce(receipts, 0) + 1 where rowid = 0",
        # each column keeps its values
        f"update {FLOWS} set receipts = payments, payments = receipts where rowid ="
        f" (select min(rowid) from {FLOWS} where receipts is distinct from payments)",
        f"update {FLOWS} set balance = 0 where rowid ="
        f" (select min(rowid) from {FLOWS} where balance is null)",
    ],
    f"rows of {FLOWS}: 1 in the first file alone, 0 in": [f"delete from {FLOWS} where rowid = 0"],
    f"rows of {FLOWS}: 0 in the first file alone, 1 in": [
        f"insert into {FLOWS} from {FLOWS} limit 1"
    ],
    f"table {FLOWS}": [f"drop table {FLOWS}", f"comment on table {FLOWS} is 'another'"],
    "table core.more: nothing in the first file": ["create table core.more (a integer)"],
    "schema more": ["create schema more"],
    f"column {FLOWS}.receipts": [
        f"alter table {FLOWS} alter receipts type double",
        f"alter table {FLOWS} alter receipts set default 0",
        f"alter table {FLOWS} drop column receipts",
        f"comment on column {FLOWS}.receipts is null",
    ],
    f"column {FLOWS}.source": [f"alter table {FLOWS} alter source drop not null"],
    f"constraint {FLOWS}": [f"alter table {FLOWS} alter source drop not null"],
    "view core.more": ["create view core.more as select 1 as a"],
    "macro more": ["create macro more() as 1"],
    "macro royalty_flows_as_of": [
        "create or replace macro royalty_flows_as_of(day) as table select 1",
        "comment on macro table royalty_flows_as_of is 'another'",
    ],
    "index core.more": [f"create index more on {FLOWS} (period)"],
    "rows of audit.releases": [
        "update audit.releases set status = 'rejected' where rowid = 0",
        "update audit.releases set sha256 = '0' where rowid = 0",
        "delete from audit.releases where rowid = 0",
    ],
    "rows of audit.gate_results": [
        f"update audit.gate_results set success = false where table_name = '{FLOWS}'",
        f"delete from audit.gate_results where table_name = '{FLOWS}'",
    ],
    "rows of audit.publication": ["delete from audit.publication"],
    "rows of audit.checksums": [
        f"update audit.checksums set checksum = '0' where table_name = '{FLOWS}'"
    ],
}


@pytest.mark.parametrize(
    ("sql", "words"), [(sql, words) for words, changes in DIFFERENT.items() for sql in changes]
)
def test_every_other_change_is_a_difference(
    original: Path, copy: Path, sql: str, words: str
) -> None:
    change(copy, sql)
    found = differences(original, copy)
    assert [line for line in found if line.startswith(words)], found


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("from range(3)", "from range(3) order by 1 desc", (0, 0)),
        ("from range(3)", "select range::integer from range(3)", (0, 0)),  # equal, other hashes
        ("from range(3)", "from range(4)", (0, 1)),
        ("select 1 union all select 1", "select 1", (1, 0)),
        ("select null, 1", "select 1, null", (1, 1)),
        ("select 1 where false", "select 2 where false", (0, 0)),
    ],
)
def test_rows_apart_are_counted_as_multisets(
    con: duckdb.DuckDBPyConnection, one: str, other: str, apart: tuple[int, int]
) -> None:
    assert rows_apart(con, one, other) == apart
