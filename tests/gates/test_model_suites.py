"""Each expectation on seeds and models passes on the build of a good run, and fails on a change."""

from functools import cache
from pathlib import Path

import pytest

from dagster_project.gates.suite_files import tables_with_suites
from dagster_project.sources import all_sources
from dagster_project.transform.dbt_runner import manifest
from tests.gates.suite_cases import (
    LAYERS,
    MODEL_LAYERS,
    Case,
    all_cases,
    expectations_of,
    failed_by,
)
from tests.support import Scenario

CASES = [case for case in all_cases() if not case.table.startswith("raw.")]


def database(template: Scenario, table: str) -> Path:
    """The file that a table is in."""
    settings = template.warehouse.settings
    return settings.warehouse if table.startswith(("core.", "marts.")) else settings.workbench


@cache
def failed_before(path: Path, table: str) -> frozenset[tuple[str, str]]:
    """The expectations that fail on the unchanged table: warnings, since the data is small."""
    failed = failed_by(path, table, f"select * from {table}")
    return frozenset((about, detail["severity"]) for about, detail in failed.items())


def test_every_table_has_a_suite_and_every_suite_a_table() -> None:
    models = {
        f"{node['schema']}.{node['name']}"
        for node in manifest()["nodes"].values()
        if node["resource_type"] in ("model", "seed")
        and node["schema"] != "semantic"  # the metrics' time spine, which is never built
        and node["config"]["materialized"] != "ephemeral"  # part of the query that reads it
    }
    raw = {f"raw.{table.name}" for source in all_sources().values() for table in source.tables}
    assert set(tables_with_suites(LAYERS)) == models | raw


def test_every_expectation_has_a_case() -> None:
    covered = {(case.table, case.expectation) for case in CASES}
    assert covered == set(expectations_of(MODEL_LAYERS))


@pytest.mark.parametrize("table", tables_with_suites(MODEL_LAYERS))
def test_the_build_of_a_good_run_passes(template: Scenario, table: str) -> None:
    failed = failed_by(database(template, table), table, f"select * from {table}")
    assert [detail for detail in failed.values() if detail["severity"] == "critical"] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_change_fails_its_expectation(template: Scenario, case: Case) -> None:
    before = failed_before(database(template, case.table), case.table)
    failed = failed_by(database(template, case.table), case.table, case.query)
    assert case.expectation not in {about for about, severity in before if severity == "critical"}
    assert failed.keys() - {about for about, _ in before} <= {case.expectation, *case.also}
    assert failed[case.expectation]["failing"] or failed[case.expectation]["observed"]
