from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from dagster_project.transform import build_fingerprint as fingerprints
from dagster_project.transform.build_fingerprint import build_fingerprint, project_fingerprint
from dagster_project.workbench.ledger_schema import create_ledger


def enter(con: duckdb.DuckDBPyConnection, sha256: str, status: str, name: str = "a.csv") -> str:
    """Enter a file in the ledger, and return the fingerprint with it."""
    now = datetime(2021, 9, 15)
    con.execute(
        "insert into audit.releases values ('made_up', '2021-09-15', ?, ?, 1, 1, 1, ?, null, ?, ?)",
        [name, sha256, status, now, now],
    )
    return build_fingerprint(con)


def test_only_accepted_files_count(con: duckdb.DuckDBPyConnection) -> None:
    create_ledger(con)
    empty = build_fingerprint(con)
    assert enter(con, "1", "rejected") == enter(con, "2", "superseded") == empty
    first = enter(con, "3", "accepted")
    second = enter(con, "4", "accepted", "b.csv")
    assert len({empty, first, second}) == 3


def test_the_order_of_loading_does_not_count(con: duckdb.DuckDBPyConnection) -> None:
    create_ledger(con)
    enter(con, "1", "accepted", "a.csv")
    one = enter(con, "2", "accepted", "b.csv")
    con.execute("delete from audit.releases")
    enter(con, "2", "accepted", "b.csv")
    assert enter(con, "1", "accepted", "a.csv") == one


@pytest.mark.parametrize(
    "file", ["_rules.json", "_rules.sql", "_fixes.json", "raw/things.json", "raw/things.sql"]
)
def test_a_change_of_a_suite_or_a_shared_rule_changes_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr(fingerprints, "PROJECT_ROOT", tmp_path)
    path = tmp_path / "expectations" / file
    path.parent.mkdir(parents=True)
    digests = set()
    for text in ("before", "after", "before"):
        path.write_text(text)
        digests.add(project_fingerprint.__wrapped__())
    assert len(digests) == 2
