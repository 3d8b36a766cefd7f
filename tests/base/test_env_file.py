"""Settings in `.env`: one place and one order for every command and for Dagster's processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from dagster import DagsterInstance

from dagster_project.base.dagster_home import dagster_home, home_folder
from dagster_project.base.env_file import load_env_file, stated_settings, unknown_settings
from dagster_project.base.errors import BadInput
from dagster_project.base.logs import is_json
from dagster_project.base.settings import PROJECT_ROOT, Settings, env_file
from tests.test_main import command


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file of settings, and an environment that has nothing but its name."""
    path = tmp_path / "some.env"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with patch.dict(os.environ, {**kept, "ROYALTY_ENV_FILE": str(path)}, clear=True):
        yield path


def test_the_environment_comes_before_the_file_and_the_file_before_defaults(file: Path) -> None:
    file.write_text("ROYALTY_DUCKDB_THREADS=3\nROYALTY_KEEP_DAYS=7\n")
    os.environ["ROYALTY_DUCKDB_THREADS"] = "5"
    for settings in (Settings(), Settings() if load_env_file() else None):
        assert settings
        assert (settings.duckdb_threads, settings.keep_days, settings.keep_publications) == (
            5,
            7,
            3,
        )
    assert Settings(keep_days=8).keep_days == 8


def test_libraries_and_code_that_reads_the_environment_see_the_file(
    file: Path, tmp_path: Path
) -> None:
    file.write_text(
        f"DAGSTER_HOME={tmp_path / 'home'}\nROYALTY_LOG_FORMAT=json\nHTTPS_PROXY=http://proxy:1\n"
    )
    load_env_file()
    assert home_folder() == tmp_path / "home"
    assert is_json()
    assert os.environ["HTTPS_PROXY"] == "http://proxy:1"


@pytest.mark.parametrize(
    "text",
    [
        b"ROYALTY_LANDING_DIR=/data/land",
        b"ROYALTY_LANDING_DIR = '/data/land'\n",
        b'export ROYALTY_LANDING_DIR="/data/land" # the archive\n',
        b"# settings\r\n\r\nROYALTY_LANDING_DIR=/data/land\r\nOTHER=1\r\n",
        b"\xef\xbb\xbfROYALTY_LANDING_DIR=/data/land\n",
        b"royalty_landing_dir=/data/land\n",
        b"UNKNOWN\nROYALTY_LANDING_DIR=/data/land\n",
    ],
)
def test_the_file_may_be_written_in_many_ways(file: Path, text: bytes) -> None:
    file.write_bytes(text)
    assert Settings().landing_dir == Path("/data/land")
    load_env_file()
    assert Settings().landing_dir == Path("/data/land")


def test_by_default_it_is_in_the_project_and_git_ignores_it(file: Path) -> None:
    del os.environ["ROYALTY_ENV_FILE"]
    assert env_file() == PROJECT_ROOT / ".env"
    assert ".env" in (PROJECT_ROOT / ".gitignore").read_text().splitlines()
    os.environ["ROYALTY_ENV_FILE"] = ""
    assert env_file() is None


@pytest.mark.parametrize("content", [b"ROYALTY_LANDING_DIR=\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_one_clear_error(file: Path, content: bytes | None) -> None:
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(BadInput, match="a file of settings that cannot be read"):
        load_env_file()


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(file: Path) -> None:
    file.write_text("ROYALTY_WAREHOSE_DIR=/x\nROYALTY_XYZZY=1\nROYALTY_KEEP_DAYS=7\nOTHER=1\n")
    load_env_file()
    assert list(unknown_settings()) == [
        "ROYALTY_WAREHOSE_DIR is not a setting; did you mean ROYALTY_WAREHOUSE_DIR?",
        "ROYALTY_XYZZY is not a setting",
    ]


def test_it_is_stated_where_each_value_comes_from_and_secrets_are_masked(
    file: Path, tmp_path: Path
) -> None:
    file.write_text(
        "ROYALTY_BEA_API_KEY=s3cret\nROYALTY_REPORT_URL=https://me:s3cret@example.org/\n"
    )
    os.environ["ROYALTY_WAREHOUSE_DIR"] = str(tmp_path)
    lines = list(stated_settings(Settings(), tmp_path / "home", load_env_file()))
    assert f"ROYALTY_WAREHOUSE_DIR={tmp_path} (environment)" in lines
    assert f"ROYALTY_LANDING_DIR={PROJECT_ROOT / 'landing'} (default)" in lines
    assert f"ROYALTY_BEA_API_KEY=********** ({file})" in lines
    assert f"ROYALTY_REPORT_URL=https://****@example.org/ ({file})" in lines
    assert f"DAGSTER_HOME={tmp_path / 'home'} (default)" in lines
    assert "s3cret" not in str(lines)
    assert not any("KEEP_DAYS" in line for line in lines)


def test_dagster_does_not_let_the_file_override_the_environment(file: Path, tmp_path: Path) -> None:
    """`dg dev` names the project's `.env` in this variable."""
    (tmp_path / ".env").write_text("ROYALTY_KEEP_DAYS=1\n")
    os.environ |= {
        "DAGSTER_HOME": str(tmp_path / "home"),
        "DAGSTER_PROJECT_ENV_FILE_PATHS": f'{{"royalty_flows": "{tmp_path}"}}',
        "ROYALTY_KEEP_DAYS": "5",
    }
    dagster_home()
    with DagsterInstance.get() as instance:
        instance.inject_env_vars("royalty_flows")
    assert os.environ["ROYALTY_KEEP_DAYS"] == "5"


def test_a_command_reads_the_file_and_status_says_so(file: Path, tmp_path: Path) -> None:
    file.write_text(
        f"ROYALTY_WAREHOUSE_DIR={tmp_path / 'warehouse'}\nROYALTY_LANDING_DR=x\n"
        f"DAGSTER_HOME={tmp_path / 'home'}\nDBT_EXCLUDE_RESOURCE_TYPES=test\n"
    )
    done = command("status")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "ROYALTY_LANDING_DR is not a setting; did you mean ROYALTY_LANDING_DIR?" in lines
    assert f"warehouse     {tmp_path / 'warehouse' / 'royalty_flows.duckdb'}" in lines
    assert f"settings      the environment, then {file}, then defaults" in lines
    assert f"  DAGSTER_HOME={tmp_path / 'home'} ({file})" in lines


def test_dagsters_own_processes_read_the_file(file: Path, tmp_path: Path) -> None:
    file.write_text(f"ROYALTY_WAREHOUSE_DIR={tmp_path / 'w'}\nDBT_TARGET=other\n")
    script = (
        "from unittest.mock import patch; from dagster_project import definitions as d; import os\n"
        "with patch.object(d, 'definitions', lambda s: print(s.warehouse_dir, os.environ)):\n"
        "    d.defs.load_fn() if hasattr(d.defs, 'load_fn') else d.defs()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{tmp_path / 'w'} ")
    assert "DBT_TARGET" not in done.stdout
