"""Each expectation on raw tables passes on good files and fails on bad ones."""

from datetime import date

import pytest

from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.gates.suite_files import tables_with_suites
from dagster_project.workbench.gate_results import LIST
from tests.gates.suite_cases import Case, all_cases, expectations_of, failed_by, newest
from tests.support import Scenario

CASES = [case for case in all_cases() if case.table.startswith("raw.")]


def test_every_expectation_has_a_case() -> None:
    covered = {(case.table, case.expectation) for case in CASES}
    assert covered == set(expectations_of(["raw"]))


@pytest.mark.parametrize("table", tables_with_suites(["raw"]))
def test_good_files_pass(template: Scenario, table: str) -> None:
    releases = template.warehouse.workbench(f"select distinct _release from {table} order by 1")
    assert releases
    results = run_suites(
        template.warehouse.settings.workbench,
        [
            Batch(
                "raw",
                table,
                f"select * from {table} where _release = '{release}'",
                release,
                f"select * from {table} where _release = '{before}'",
            )
            for before, (release,) in zip(
                [date.min, *(release for (release,) in releases)], releases, strict=False
            )
        ],
        template.warehouse.settings,
    )
    assert [
        detail for result in results for detail in result.details if not detail["success"]
    ] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_bad_row_fails_its_expectation_and_is_named(template: Scenario, case: Case) -> None:
    query = f"select * from ({case.query}) where {newest(case.table)}"
    failed = failed_by(template.warehouse.settings.workbench, case.table, query, case.previous)
    assert failed.keys() == {case.expectation, *case.also}
    if case.row and failed[case.expectation]["kind"] != LIST:  # which shows codes, not rows
        bad = template.warehouse.workbench(
            f"select _file, _row from {case.table} where {newest(case.table)} and ({case.row})"
            " order by 2 limit 1"
        )
        named = [(row["_file"], row["_row"]) for row in failed[case.expectation]["failing_rows"]]
        assert bad[0] in named
