"""The ledger's entries on releases."""

from datetime import date, datetime

import duckdb
import pytest

from dagster_project.workbench.ledger_schema import create_ledger
from dagster_project.workbench.releases import FileEntry, current_before, record_files

JUNE, JULY = date(2016, 6, 1), date(2016, 7, 1)
LOADED = {hour: datetime(2016, 8, 1, hour) for hour in (8, 9, 10)}


@pytest.fixture
def loads(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """June's release, loaded twice, and July's; all of them accepted."""
    create_ledger(con)
    for release, hour in ((JUNE, 8), (JUNE, 9), (JULY, 10)):
        entry = FileEntry(
            "made_up.csv", f"{hour}", 1, 1, 1, "accepted", None, LOADED[hour], LOADED[hour]
        )
        record_files(con, "made_up", release, [entry])
    return con


@pytest.mark.parametrize(
    ("release", "hour", "before"),
    [
        (JULY, 10, (JUNE, LOADED[9])),
        (JUNE, 9, (JUNE, LOADED[8])),  # loaded again: against the load before
        (date(2016, 6, 15), 11, (JUNE, LOADED[9])),
        (date(2016, 5, 1), 11, None),
    ],
)
def test_a_load_is_compared_with_the_load_that_was_current_before_and_never_with_itself(
    loads: duckdb.DuckDBPyConnection, release: date, hour: int, before: tuple | None
) -> None:
    loaded_at = datetime(2016, 8, 1, hour)
    assert current_before(loads, "made_up", release, loaded_at) == before


def test_the_only_load_of_the_only_release_has_none_before_it(
    loads: duckdb.DuckDBPyConnection,
) -> None:
    loads.execute("delete from audit.releases where loaded_at > ?", [LOADED[8]])
    assert current_before(loads, "made_up", JUNE, LOADED[8]) is None
