import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.publication.integrity import checksums, integrity_errors
from tests.support import Scenario, rows

PAGE = PROJECT_ROOT / "docs" / "failure-modes.md"


@pytest.fixture
def publication(template: Scenario, tmp_path: Path) -> Path:
    """A copy of a publication that a test may change."""
    return Path(shutil.copyfile(template.warehouse.settings.warehouse, tmp_path / "copy.duckdb"))


def change(sql: str) -> Callable[[Path], None]:
    def work(path: Path) -> None:
        with duckdb.connect(path) as con:
            con.execute(sql)

    return work


def test_a_publication_is_whole_and_audited(publication: Path) -> None:
    assert integrity_errors(publication) == []


def test_every_table_has_its_checksum(publication: Path) -> None:
    tables = rows(
        publication,
        "select schema_name || '.' || table_name from duckdb_tables() where not internal",
    )
    stated = rows(publication, "select table_name from audit.checksums")
    assert {name for (name,) in tables} - {name for (name,) in stated} == {"audit.checksums"}
    assert all(sum_ for (sum_,) in rows(publication, "select checksum from audit.checksums"))


WRONG = {
    "core.fct_royalty_flows is not as published": [
        "update core.fct_royalty_flows set receipts = coalesce(receipts, 0) + 1 where rowid = 0",
        "delete from core.fct_royalty_flows where rowid = 0",
        "insert into core.fct_royalty_flows from core.fct_royalty_flows limit 1",
        "drop table core.fct_royalty_flows",
    ],
    "the gate on core.fct_royalty_flows has not passed": [
        "delete from audit.gate_results where table_name = 'core.fct_royalty_flows'",
        "update audit.gate_results set success = false where table_name = 'core.fct_royalty_flows'",
        "update audit.gate_results set candidate_id = 'another'",
    ],
    "it does not name its publication": ["delete from audit.publication"],
    "it cannot be read": ["drop table audit.checksums"],
}


@pytest.mark.parametrize(
    ("wrong", "sql"), [(wrong, sql) for wrong, changes in WRONG.items() for sql in changes]
)
def test_integrity_errors_are_named(publication: Path, wrong: str, sql: str) -> None:
    change(sql)(publication)
    assert any(error.startswith(wrong) for error in integrity_errors(publication))


def test_the_order_of_rows_does_not_matter_and_their_number_does(
    con: duckdb.DuckDBPyConnection,
) -> None:
    def sums(query: str) -> list[tuple]:
        con.execute(f"create or replace table numbers as {query}")
        return checksums(con)

    some = sums("from (values (1, 'a'), (2, null), (2, null)) as t (n, word)")
    assert sums("from (values (2, null), (1, 'a'), (2, null)) as t (n, word)") == some
    assert sums("from (values (1, 'a'), (2, null)) as t (n, word)") != some
    assert sums("from (values (1, 'a'), (2, ''), (2, '')) as t (n, word)") != some
    assert sums("select 1 as n where false") == [("main.numbers", 0, "0")]


def test_the_query_of_the_documentation_says_that_it_is_whole(publication: Path) -> None:
    (sql,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert rows(publication, sql.rstrip().removesuffix(";")) == [(True,)]
    change(
        "update core.fct_royalty_flows set receipts = coalesce(receipts, 0) + 1 where rowid = 0"
    )(publication)
    assert rows(publication, sql.rstrip().removesuffix(";")) == [(False,)]
