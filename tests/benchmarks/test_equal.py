"""Two published files are equal only if columns, comments and rows are."""

from pathlib import Path

import duckdb
import pytest

from benchmarks.equal import unequal_tables

TABLE = (
    "create schema core; create schema marts; create table core.a (x int, y text);"
    " insert into core.a values (1, 'one'), (2, null), (2, null);"
    " comment on table core.a is 'the table'; comment on column core.a.x is 'the column';"
    " create macro m(p) as p + 1;"
)


def published(path: Path, sql: str) -> Path:
    with duckdb.connect(path) as con:
        con.execute(sql)
    return path


def differences(folder: Path, change: str) -> list[str]:
    one, other = published(folder / "one", TABLE), published(folder / "other", TABLE + change)
    return [line.split(":")[0] for line in unequal_tables(one, other)[1]]


@pytest.mark.parametrize(
    "change",
    ["", "create table core.b as from core.a order by x desc; drop table core.a;"],
)
def test_the_order_of_rows_does_not_count(tmp_path: Path, change: str) -> None:
    if change:
        change += (
            "alter table core.b rename to a; comment on table core.a is 'the table';"
            " comment on column core.a.x is 'the column';"
        )
    assert differences(tmp_path, change) == []


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("update core.a set y = 'two' where x = 1", "core.a"),
        ("update core.a set y = '' where x = 2", "core.a"),
        ("insert into core.a values (2, null)", "core.a"),
        (
            "delete from core.a; insert into core.a values (1, 'one'), (2, null), (1, 'one')",
            "core.a",
        ),
        ("comment on table core.a is 'another'", "core.a"),
        ("comment on column core.a.x is null", "core.a"),
        ("alter table core.a alter x type bigint", "core.a"),
        ("create table marts.b (x int)", "marts.b"),
        ("drop table core.a", "core.a"),
        ("create or replace macro m(p) as p + 2", "macros"),
    ],
)
def test_any_other_change_does(tmp_path: Path, change: str, table: str) -> None:
    assert differences(tmp_path, change) == [table]
