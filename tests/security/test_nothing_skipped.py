"""A data test or an expectation that did not run, or was weakened, has not passed."""

import json
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.artifacts.schemas.results import RunStatus, TestStatus

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import Settings
from dagster_project.definitions import definitions
from dagster_project.defs import gate_checks
from dagster_project.defs.dbt_layers import TEST_PASSED
from dagster_project.gates import run_suites as running
from dagster_project.gates import suite_files, suites
from dagster_project.gates.release_gate import gate_release
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.gates.suite_files import (
    EXPECTATIONS,
    read_suite,
    tables_with_suites,
    weakened_expectations,
)
from dagster_project.publication import requirements
from dagster_project.publication.requirements import NO_LAYER, required, weakened_tests
from dagster_project.sources import all_sources
from dagster_project.transform import build_fingerprint, dbt_runner
from dagster_project.transform.dbt_runner import manifest
from dagster_project.workbench.connection import open_workbench
from dagster_project.workbench.gate_results import GateResult
from tests.publication.test_publish import refusal
from tests.support import Warehouse

TABLE = "core.fct_royalty_flows"
A_TEST = "unique_dim_reporter_reporter_code"
SCHEMAS = ("raw", "seeds", "staging", "intermediate", "core", "marts")


@pytest.fixture
def candidate(warehouse: Warehouse) -> str:
    """The id of a candidate that may be published."""
    return warehouse.restore_candidate()


def names(table: str) -> list[str]:
    return [expectation["description"] for expectation in read_suite(table)["expectations"]]


# Expectations are required by name


def test_every_expectation_of_every_gate_is_in_the_ledger(warehouse: Warehouse) -> None:
    results = dict(
        warehouse.published(
            "select table_name, arg_max(details, checked_at) from audit.gate_results"
            " where candidate_id is not null group by all"
        )
    )
    assert results.keys() == required().tables.keys()
    for table, details in results.items():
        evaluated = [detail["expectation"] for detail in json.loads(details)]
        assert sorted(evaluated) == sorted(names(table))


def change_details(warehouse: Warehouse, change: Callable[[list[dict]], list[dict]]) -> None:
    ((details,),) = warehouse.workbench(
        f"select details from audit.gate_results where table_name = '{TABLE}'"
    )
    changed = json.dumps(change(json.loads(details))).replace("'", "''")
    warehouse.change_ledger(
        f"update audit.gate_results set details = '{changed}' where table_name = '{TABLE}'"
    )


def test_an_expectation_that_was_not_evaluated_is_named(
    warehouse: Warehouse, candidate: str
) -> None:
    change_details(warehouse, lambda details: details[1:])
    assert refusal(warehouse) == f"the gate on {TABLE} has not evaluated: {names(TABLE)[0]}"


def test_an_expectation_with_another_name_does_not_take_its_place(
    warehouse: Warehouse, candidate: str
) -> None:
    change_details(
        warehouse, lambda details: [{**details[0], "expectation": "another"}, *details[1:]]
    )
    assert refusal(warehouse) == f"the gate on {TABLE} has not evaluated: {names(TABLE)[0]}"


def test_a_gate_of_another_suite_is_refused(warehouse: Warehouse, candidate: str) -> None:
    warehouse.change_ledger(
        f"update audit.gate_results set suite_sha256 = 'weak' where table_name = '{TABLE}'"
    )
    assert refusal(warehouse).startswith(
        f"the gate on {TABLE} ran another suite than that of the files now: SHA-256 weak then; "
    )


@pytest.mark.parametrize(
    "weaken",
    [
        lambda suite: suite["expectations"].pop(),
        lambda suite: suite["expectations"][0]["kwargs"].update(mostly=0.5),
        lambda suite: suite["expectations"][0]["kwargs"].update(row_condition="false"),
        lambda suite: suite["expectations"][0].update(severity="warning"),
        lambda suite: suite["expectations"][0]["meta"].update(kind="list"),
    ],
)
def test_a_weakened_suite_has_another_digest(weaken: Callable[[dict], object]) -> None:
    suite = suites.load_suite(TABLE, {})
    weak = deepcopy(suite)
    weaken(weak)
    assert suites.suite_sha256(weak, {}) != suites.suite_sha256(suite, {})


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path]:
    """A database with one table, and a folder of suites with one for it."""
    with duckdb.connect(tmp_path / "made_up.duckdb") as con:
        con.execute("create schema raw; create table raw.things as select 1 as a")
    (tmp_path / "raw").mkdir()
    return tmp_path / "made_up.duckdb", tmp_path


def write_suite(root: Path, *expectations: dict[str, Any]) -> None:
    suite = {"lineage": ["a"], "expectations": expectations}
    (root / "raw" / "things.json").write_text(json.dumps(suite))


def rule(name: str = "a is 1", **more: Any) -> dict[str, Any]:
    query = {} if "type" in more else {"query": "select a from $batch where a <> 1"}
    rest = {"kind": "structure", "ground": "a document", "fix": "look at the row"}
    return {"description": name, **query, **rest, **more}


def run_small(small: tuple[Path, Path]) -> list[GateResult]:
    database, root = small
    batch = Batch("raw", "raw.things", "select * from raw.things")
    return run_suites(database, [batch], Settings(), root)


def test_an_expectation_that_gx_leaves_out_has_not_passed(
    small: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_suite(small[1], rule(), rule("a is still 1"))
    assert run_small(small)[0].success
    validate = running._validate
    monkeypatch.setattr(running, "_validate", lambda *rest: validate(*rest)[:-1])
    with pytest.raises(BadInput, match=r"not evaluated .* none for a is still 1"):
        run_small(small)


def test_an_expectation_counts_as_often_as_it_is_in_the_suite(
    small: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_suite(small[1], rule(), rule())
    validate = running._validate
    monkeypatch.setattr(running, "_validate", lambda *rest: validate(*rest)[:-1])
    with pytest.raises(BadInput, match="expectations were not evaluated"):
        run_small(small)


def test_a_suite_has_expectations(small: tuple[Path, Path]) -> None:
    write_suite(small[1])
    with pytest.raises(BadInput, match=r"an invalid suite .* at least one expectation"):
        run_small(small)


# A weakened expectation gives a reason

FILLED = {"type": "expect_column_values_to_not_be_null"}
CODES = "select 'a' as column_name, a as code, count(*) as rows_found from $batch group by a"


@pytest.mark.parametrize(
    ("weak", "what"),
    [
        (rule(kind="list"), "kind: list, without naming codes"),
        (rule(kind="list", **FILLED, kwargs={"column": "a"}), "kind: list, without naming codes"),
        (rule(**FILLED, kwargs={"column": "a", "mostly": 0.5}), "mostly: 0.5"),
        (
            rule(
                **FILLED,
                kwargs={
                    "column": "a",
                    "row_condition": "a > 1",
                    "condition_parser": "great_expectations",
                },
            ),
            "row_condition: a > 1",
        ),
    ],
)
def test_an_expectation_that_lets_rows_pass_gives_a_reason(
    small: tuple[Path, Path], weak: dict[str, Any], what: str
) -> None:
    write_suite(small[1], weak)
    assert weakened_expectations("raw.things", small[1]) == [f"raw.things: a is 1 ({what})"]
    write_suite(small[1], {**weak, "reason": " "})
    assert weakened_expectations("raw.things", small[1])
    write_suite(small[1], {**weak, "reason": "the publisher leaves some empty"})
    assert weakened_expectations("raw.things", small[1]) == []


def test_a_rule_that_names_new_codes_may_warn(small: tuple[Path, Path]) -> None:
    write_suite(small[1], rule(kind="list", query=CODES))
    assert weakened_expectations("raw.things", small[1]) == []


@pytest.mark.parametrize("table", tables_with_suites(SCHEMAS))
def test_no_suite_of_the_project_is_weakened_without_a_reason(table: str) -> None:
    assert weakened_expectations(table) == []


def weaken(monkeypatch: pytest.MonkeyPatch, table: str) -> str:
    """Turn the severity of a suite's first expectation down, as if in its file; return its name."""
    read = suite_files.read_suite

    def read_weakened(name: str, root: Path = EXPECTATIONS) -> dict[str, Any]:
        suite = read(name, root)
        if name == table:
            suite["expectations"][0]["meta"]["kind"] = "list"
            suite["expectations"][0]["severity"] = "warning"
        return suite

    for module in (suite_files, suites):
        monkeypatch.setattr(module, "read_suite", read_weakened)
    return str(read(table)["expectations"][0]["description"])


def test_a_severity_turned_down_while_the_process_runs_is_refused_by_name(
    warehouse: Warehouse, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = weaken(monkeypatch, TABLE)
    first, second = refusal(warehouse).split("; 1 expectations are ")
    assert first.startswith(f"the gate on {TABLE} ran another suite than that of the files now")
    assert second == (
        f"weakened without a reason: {TABLE}: {name} (kind: list, without naming codes)"
    )


def test_a_release_is_not_accepted_by_a_weakened_suite(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = all_sources()["published_figures"]
    name = weaken(monkeypatch, f"raw.{source.tables[0].name}")
    ((day,),) = warehouse.workbench(
        f"select max(release_date) from audit.releases where source = '{source.name}'"
    )
    warehouse.change_ledger("update audit.releases set status = 'loaded'")
    connect = partial(open_workbench, warehouse.settings)
    with pytest.raises(BadInput, match="weakened expectations without a reason") as caught:
        gate_release(warehouse.settings, connect, source, day, "run")
    assert name in caught.value.found
    assert warehouse.workbench("select distinct status from audit.releases") == [("loaded",)]


# What runs is what the files say


@pytest.mark.parametrize(
    "file",
    ["expectations/core/things.json", "dbt/models/target/_weak.yaml", "dagster_project/x.py"],
)
def test_a_file_changed_while_the_process_runs_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr(build_fingerprint, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(dbt_runner, "DBT_PROJECT", tmp_path / "dbt")
    cached = build_fingerprint.project_fingerprint, dbt_runner._state_when_read
    for each in cached:
        each.cache_clear()
    try:
        path = tmp_path / file
        path.parent.mkdir(parents=True)
        path.write_text("before")
        assert not build_fingerprint.has_changed()
        path.write_text("after")
        assert build_fingerprint.has_changed()
        path.write_text("before")
        assert not build_fingerprint.has_changed()
    finally:
        for each in cached:
            each.cache_clear()


def test_files_that_change_while_the_process_runs_void_the_candidate(
    warehouse: Warehouse, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_runner, "_state_when_read", lambda: "what this process has read")
    reason = "models, data tests or gates have changed since this process has read them"
    assert refusal(warehouse) == reason


# Data tests


def test_no_data_test_of_the_project_is_weakened_without_a_reason() -> None:
    assert weakened_tests() == []


def with_test(monkeypatch: pytest.MonkeyPatch, **config: Any) -> None:
    """Change the configuration of a data test in the manifest."""
    changed = deepcopy(dict(manifest()))
    (test,) = [node for node in changed["nodes"].values() if node["name"] == A_TEST]
    test["config"].update(config)
    monkeypatch.setattr(requirements, "manifest", lambda: changed)


@pytest.mark.parametrize(
    "config",
    [
        {"severity": "warn"},
        {"where": "false"},
        {"limit": 1},
        {"error_if": ">1000"},
        {"warn_if": ">1000"},
        {"fail_calc": "0"},
        {"enabled": False},
    ],
)
def test_a_weakened_data_test_gives_a_reason(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]
) -> None:
    ((name, value),) = config.items()
    with_test(monkeypatch, **config)
    shown = value.upper() if name == "severity" else value
    assert weakened_tests() == [f"{A_TEST} ({name}: {shown})"]
    with_test(monkeypatch, **config, meta={"reason": "the other half is tested elsewhere"})
    assert weakened_tests() == []


def test_a_data_test_that_is_switched_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = deepcopy(dict(manifest()))
    (name,) = [name for name, node in changed["nodes"].items() if node["name"] == A_TEST]
    changed["disabled"] = {name: [changed["nodes"].pop(name)]}
    monkeypatch.setattr(requirements, "manifest", lambda: changed)
    assert weakened_tests() == [f"{A_TEST} (enabled: False)"]


def test_a_weakened_data_test_stops_the_publication(
    warehouse: Warehouse, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_test(monkeypatch, severity="warn")
    assert refusal(warehouse) == (
        f"1 data tests are weakened without a reason: {A_TEST} (severity: WARN)"
    )


def test_a_data_test_that_no_layer_runs_is_required(
    warehouse: Warehouse, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = deepcopy(dict(manifest()))
    name = "test.royalty_flows.of_a_source.1"
    (test,) = [node for node in changed["nodes"].values() if node["name"] == A_TEST]
    changed["nodes"][name] = test | {"depends_on": {"nodes": []}}
    monkeypatch.setattr(requirements, "manifest", lambda: changed)
    assert required().tests[name] == NO_LAYER
    assert refusal(warehouse) == "1 data tests were not run on this candidate: of_a_source"


@pytest.mark.parametrize("status", [*RunStatus, *TestStatus])
def test_only_a_data_test_that_ran_has_passed(status: RunStatus | TestStatus) -> None:
    assert (status in TEST_PASSED) == (status in (TestStatus.Pass, TestStatus.Warn))


# The run does not decide


def test_a_gate_that_does_not_block_the_run_blocks_the_publication(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = gate_checks._spec
    monkeypatch.setattr(
        gate_checks,
        "_spec",
        lambda key, about: spec(key, about)._replace(blocking=False),
    )
    load = running.load_suite

    def load_failing(table: str, *rest: Any) -> dict[str, Any]:
        suite = load(table, *rest)
        if table == "core.dim_concept":
            suite["expectations"].append(
                {
                    **suite["expectations"][0],
                    "type": "expect_table_row_count_to_be_between",
                    "kwargs": {"max_value": 0},
                    "description": "there are no rows",
                }
            )
        return suite

    monkeypatch.setattr(running, "load_suite", load_failing)
    warehouse.change_ledger("update audit.gate_results set made_from = null")  # nothing is carried
    before = file_sha256(warehouse.settings.warehouse)
    outcome = (
        definitions(warehouse.settings)
        .resolve_job_def("build")
        .execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    )
    failed = [event.step_key for event in outcome.get_step_failure_events()]
    assert failed == ["publication"]
    (event,) = outcome.get_step_failure_events()
    assert "the gate on core.dim_concept failed" in str(event.step_failure_data.error)
    assert file_sha256(warehouse.settings.warehouse) == before
