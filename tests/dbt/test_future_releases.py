"""Releases dated in the future, on a machine whose clock may have been set back."""

import duckdb

from dagster_project.transform.dbt_runner import run_dbt
from tests.support import Warehouse


def test_no_release_is_dated_in_the_future_unless_the_clock_was_ahead(
    warehouse: Warehouse,
) -> None:
    settings = warehouse.settings
    warehouse.restore_candidate()

    def status() -> str:
        name = "assert_no_release_is_dated_in_the_future"
        (result,) = run_dbt(settings, ["test", "--select", name])
        return str(result.status)

    assert status() == "pass"
    with duckdb.connect(settings.candidate) as con:
        con.execute("update core.dim_release set release_date = current_date + 3")
    assert status() == "fail"
    warehouse.change_ledger("update audit.releases set loaded_at = loaded_at + interval 1 year")
    assert status() == "pass"
