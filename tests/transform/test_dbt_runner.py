import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from dbt.clients.yaml_helper import load_yaml_text

from dagster_project.base.errors import BadInput
from dagster_project.transform import dbt_runner as dbt
from dagster_project.transform.dbt_runner import DbtError, manifest, run_dbt
from tests.support import GARBAGE, ODD_NAMES, Warehouse, writable_copy


def test_every_unit_test_passes(warehouse: Warehouse) -> None:
    warehouse.restore_candidate()
    ran = run_dbt(warehouse.settings, ["test", "--select", "test_type:unit"])
    results = [result for result in ran if result.node.resource_type == "unit_test"]
    assert len(results) == len(manifest()["unit_tests"]) > 0
    bad = [(result.node.name, result.message) for result in results if result.status != "pass"]
    assert bad == []


def test_the_project_parses_without_a_warning(tmp_path: Path) -> None:
    project = str(dbt.DBT_PROJECT)
    command = [sys.executable, "-m", "dbt.cli.main", "--warn-error", "parse", "--no-partial-parse"]
    command += ["--project-dir", project, "--profiles-dir", project, "--target-path", str(tmp_path)]
    command += ["--log-path", str(tmp_path)]  # the checkout may be read-only
    environment = {**os.environ, "ROYALTY_WAREHOUSE_DIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_mart_has_a_unit_test() -> None:
    tested = {test["model"] for test in manifest()["unit_tests"].values()}
    marts = {node["name"] for node in manifest()["nodes"].values() if node["schema"] == "marts"}
    assert {name for name in marts if name.startswith("mart_")} <= tested


def test_every_model_and_column_is_described() -> None:
    nodes = [
        node
        for node in (*manifest()["nodes"].values(), *manifest()["sources"].values())
        if node["resource_type"] in ("model", "seed", "source")
    ]
    bare = [
        f"{node['schema']}.{node['name']}.{column}".rstrip(".")
        for node in nodes
        for column, text in [
            ("", node["description"]),
            *((name, column["description"]) for name, column in node["columns"].items()),
        ]
        if not text.strip()
    ]
    assert bare == []


def test_every_table_of_the_candidate_has_an_enforced_contract() -> None:
    models = [
        node
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in ("core", "marts")
    ]
    assert models
    for model in models:
        assert model["config"]["materialized"] in ("table", "incremental")
        assert model["config"]["contract"]["enforced"]
        assert model["database"] == "royalty_flows"


def test_a_command_that_dbt_does_not_understand_is_an_error(warehouse: Warehouse) -> None:
    with pytest.raises(DbtError):
        run_dbt(warehouse.settings, ["no-such-command"])


def test_a_file_that_dbt_cannot_parse_is_named_in_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "dbt"
    writable_copy(dbt.DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    (project / "models" / "staging" / "_made_up.yml").write_text("models:\n  - name: 'it's'\n")
    monkeypatch.setattr(dbt, "DBT_PROJECT", project)
    with pytest.raises(BadInput, match="cannot parse") as caught:
        dbt.manifest_path()
    assert "staging/_made_up.yml" in caught.value.found
    assert "line 2" in caught.value.found


def test_a_project_that_was_copied_after_it_was_parsed_is_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser's files have absolute paths, which would lead to the original project."""
    dbt.manifest_path()
    project = tmp_path / "dbt"
    writable_copy(dbt.DBT_PROJECT, project, ignore=shutil.ignore_patterns("logs"))
    monkeypatch.setattr(dbt, "DBT_PROJECT", project)
    nodes = json.loads(dbt.manifest_path().read_bytes())["nodes"].values()
    assert {Path(node["root_path"]) for node in nodes if node["resource_type"] == "seed"} == {
        project
    }


def test_dbt_leaves_the_files_free_for_the_next_writer(warehouse: Warehouse) -> None:
    run_dbt(warehouse.settings, ["build", "--select", "affiliations"])
    warehouse.change_ledger("delete from audit.gate_results")


def test_published_texts_are_kept_by_dictionary(warehouse: Warehouse) -> None:
    """DuckDB overlooks this setting without a message if it is an option of the connection."""
    tables = warehouse.published(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where schema_name in ('core', 'marts')"
    )
    kept_by = {
        method
        for (table,) in tables
        for (method,) in warehouse.published(
            f"select distinct compression from pragma_storage_info('{table}')"
            " where segment_type = 'VARCHAR'"
        )
    }
    assert "Dictionary" in kept_by
    assert "FSST" not in kept_by


def test_models_read_seeds_and_both_databases_and_no_other_file(
    folders: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project with the real one's profile, hook and macro, and a model that steals."""
    real, project = dbt.DBT_PROJECT, tmp_path / "dbt"
    settings = load_yaml_text((real / "dbt_project.yml").read_text()) or {}
    taken = ("name", "profile", "config-version", "on-run-start", "flags")
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for name, content in {
        "dbt_project.yml": json.dumps({name: settings[name] for name in taken}),
        "profiles.yml": (real / "profiles.yml").read_text(),
        "macros/close.sql": (real / "macros" / "duckdb" / "close_to_other_files.sql").read_text(),
        "seeds/codes.csv": "code\nA\n",
        "models/good.sql": "{{ config(database='royalty_flows') }} from {{ ref('codes') }}",
        "models/steals.sql": f"select content from read_text('{secret}')",
        "models/copies.sql": "{{ config(pre_hook=\"copy (select 1) to '$out'\") }}"
        " select 1 as n".replace("$out", str(tmp_path / "out.csv")),
        "models/opens.sql": "{{ config(pre_hook='set enable_external_access = true') }}"
        " select 1 as n",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    monkeypatch.setattr(dbt, "DBT_PROJECT", project)
    folders.settings.candidate.parent.mkdir(parents=True)
    target = ["--target-path", str(tmp_path / "target")]
    results = {
        result.node.name: result
        for result in dbt._invoke(dbt._environment(folders.settings), ["build", *target])
    }
    assert {name: result.status for name, result in results.items()} == {
        "codes": "success",
        "good": "success",
        "steals": "error",
        "copies": "error",
        "opens": "error",
    }
    assert "disabled by configuration" in str(results["steals"].message)
    assert not (tmp_path / "out.csv").exists()


def test_a_warning_is_an_error_where_dbt_is_configured_so(warehouse: Warehouse) -> None:
    """Although there is no listener for dbt's events here."""
    nothing = ["compile", "--select", "no_such_model"]
    run_dbt(warehouse.settings, nothing)
    with pytest.raises(DbtError, match="does not match any enabled nodes"):
        run_dbt(warehouse.settings, [*nothing, "--warn-error"])


_NO_TABLE = "select * from no_such_table"


@pytest.mark.parametrize(
    "hook",
    [
        f"{{{{ run_query('{_NO_TABLE}') }}}}",
        f"{{% do run_query('select 1') %}}{{{{ run_query('{_NO_TABLE}') }}}}",
        "{{ exceptions.raise_compiler_error('made up') }}",
    ],
)
@pytest.mark.parametrize("when", ["start", "end"])
def test_a_hook_that_fails_leaves_no_connection_open(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, hook: str, when: str
) -> None:
    nodes = dbt._parsed().nodes
    name = f"operation.royalty_flows.royalty_flows-on-run-{when}-0"
    for operation in (node for node in nodes.values() if node.resource_type == "operation"):
        code = hook if operation.unique_id == name else "select 1"
        monkeypatch.setattr(operation, "raw_code", code)
    with pytest.raises(DbtError, match=r"no_such_table|made up") as kept:
        run_dbt(folders.settings, ["seed", "--select", "concepts"])
    _raise_if_open(folders)
    assert kept.value.__cause__  # which a caller may keep for long


def test_a_candidate_that_cannot_be_opened_leaves_no_connection_open(folders: Warehouse) -> None:
    folders.settings.candidate.parent.mkdir(parents=True)
    folders.settings.candidate.write_bytes(GARBAGE)
    with pytest.raises(DbtError, match="not a valid DuckDB database") as kept:
        run_dbt(folders.settings, ["seed", "--select", "concepts"])
    folders.settings.candidate.unlink()
    _raise_if_open(folders)
    assert kept.value.__cause__


def _raise_if_open(folders: Warehouse) -> None:
    """Open both files as the pipeline does: DuckDB refuses, if they are open in another way."""
    for path in (folders.settings.workbench, folders.settings.candidate):
        duckdb.connect(path, config=folders.settings.duckdb_config).close()


def test_no_model_runs_after_a_hook_that_should_have_closed_the_files(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for operation in dbt._parsed().nodes.values():
        if operation.resource_type == "operation":
            monkeypatch.setattr(operation, "raw_code", _NO_TABLE)
    results = run_dbt(folders.settings, ["seed", "--select", "concepts"])
    assert {str(result.status) for result in results if result.node.resource_type == "seed"} == {
        "skipped"
    }


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_warehouse_folder_of_any_name_can_be_built_in(tmp_path: Path, name: str) -> None:
    odd = Warehouse(tmp_path / name)
    (result,) = run_dbt(odd.settings, ["seed", "--select", "concepts"])
    assert result.status == "success", result.message
    with duckdb.connect(odd.settings.workbench) as con:
        found = con.execute("select sum(estimated_size) > 3 from duckdb_tables()").fetchall()
    assert found == [(True,)]
