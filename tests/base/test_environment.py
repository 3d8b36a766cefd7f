"""No environment variable of the user and no file in `~/.dbt` switches off a check."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from dbt.cli.main import cli
from dbt.env_vars import KNOWN_ENGINE_ENV_VARS

from dagster_project.base.environment import own_environment
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.publication.requirements import required
from dagster_project.transform.dbt_runner import DBT_PROJECT, _environment
from tests.support import Warehouse

# A value that each accepts, as far as its type goes; choices get a word outside of them.
HOSTILE = {
    "DBT_EXCLUDE_RESOURCE_TYPES": "test",
    "DBT_RESOURCE_TYPES": "model",
    "DBT_INDIRECT_SELECTION": "empty",
    "DBT_EMPTY": "true",
    "DBT_TARGET": "prod",
    "DBT_PROFILE": "another",
    "DBT_PROFILES_DIR": "/nonexistent",
    "DBT_PROJECT_DIR": "/nonexistent",
    "DBT_TARGET_PATH": "/nonexistent",
    "DBT_STATE": "/nonexistent",
    "DBT_DEFER": "true",
    "DBT_FAIL_FAST": "true",
    "DBT_STORE_FAILURES": "true",
    "DBT_SAMPLE": "1 day",
    "DBT_WARN_ERROR_OPTIONS": '{"silence": "all"}',
    "GX_CLOUD_ACCESS_TOKEN": "made-up",
    "GX_CLOUD_ORGANIZATION_ID": "made-up",
    "GX_HOME": "/nonexistent",
}

# Of Python, DuckDB and Dagster: none decides what runs.
OTHERS = {
    "PYTHONOPTIMIZE": "1",  # drops `assert`
    "PYTHONWARNINGS": "ignore",
    "DUCKDB_SQLALCHEMY_POOL": "null",
    "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
    "DAGSTER_DEFAULT_IO_MANAGER_SILENCE_FAILURES": "1",
}


def options(command: click.Command) -> Iterator[click.Parameter]:
    """All options of a command and of those below it."""
    yield from command.params
    for below in getattr(command, "commands", {}).values():
        yield from options(below)


def variables_of_dbt() -> list[str]:
    """Every variable that this version of dbt reads an option from, under both of its names."""
    named = {
        name
        for option in options(cli)
        for name in ([option.envvar] if isinstance(option.envvar, str) else option.envvar or ())
    }
    known = {name for each in KNOWN_ENGINE_ENV_VARS for name in (each.name, each.old_name) if name}
    return sorted(named | known)


def flags() -> dict[str, Any]:
    """The flags with which dbt's `build` would run."""
    place = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    with cli.make_context("dbt", ["build"]) as context:
        command = cli.commands["build"]
        return command.make_context("build", place, parent=context).params | context.params


def test_dbt_reads_more_than_a_hundred_variables() -> None:
    assert len(variables_of_dbt()) > 100
    assert "DBT_ENGINE_EXCLUDE_RESOURCE_TYPES" in variables_of_dbt()


@pytest.mark.parametrize(
    "name",
    [*variables_of_dbt(), "GX_HOME", "GX_CLOUD_ACCESS_TOKEN", "DBT_X", "DUCKDB_SQLALCHEMY_POOL"],
)
def test_no_variable_comes_through(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with _environment(folders.settings):
        before, ours = flags(), dict(os.environ)
    monkeypatch.setenv(name, HOSTILE.get(name.replace("ENGINE_", ""), "true"))
    with _environment(folders.settings):
        assert flags() == before
        assert dict(os.environ) == ours
    assert os.environ[name] == HOSTILE.get(name.replace("ENGINE_", ""), "true")  # the user's again


def test_variables_come_through_outside_of_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = flags()
    monkeypatch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "test")
    assert flags() != before
    with own_environment():
        assert flags() == before


def test_publishing_with_all_of_them_set_runs_every_data_test(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".dbt").mkdir(parents=True)
    (home / ".dbt" / "profiles.yml").write_text(
        "config: {fail_fast: true, indirect_selection: empty}\nroyalty_flows: {target: prod}\n"
    )
    (home / ".dbt" / "dbt_cloud.yml").write_text("version: 1\ncontext: {active-project: 1}\n")
    (home / ".great_expectations").mkdir()
    (home / ".great_expectations" / "great_expectations.conf").write_text(
        "[anonymous_usage_statistics]\nenabled = true\n"
    )
    (home / ".duckdbrc").write_text("create or replace macro sum(x) as 7;\n")
    every = dict.fromkeys(variables_of_dbt(), "true")
    every |= HOSTILE
    every |= {name.replace("DBT_", "DBT_ENGINE_"): value for name, value in HOSTILE.items()}
    done = subprocess.run(
        [sys.executable, "-m", "dagster_project", "publish"],
        cwd=PROJECT_ROOT,
        env={**os.environ, **warehouse.environment, **every, **OTHERS, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    candidate = "(select max_by(candidate_id, published_at) from audit.publication)"
    ran = warehouse.workbench(
        f"select test from audit.test_results where candidate_id = {candidate} and success"
    )
    assert {test for (test,) in ran} == set(required().tests)
