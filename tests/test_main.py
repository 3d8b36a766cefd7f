"""The command line, in a separate process."""

import shlex
import socket
import subprocess
import sys

import pytest

from dagster_project.__main__ import main
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import PROJECT_ROOT
from tests.support import Warehouse, held_by


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with the environment of the test."""
    return subprocess.run(
        [sys.executable, "-m", "dagster_project", *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_with_nothing_new_succeeds_and_says_so(warehouse: Warehouse) -> None:
    before = file_sha256(warehouse.settings.warehouse)
    result = command("run")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1].startswith("nothing new: publication ")
    assert file_sha256(warehouse.settings.warehouse) == before


def test_a_refused_release_shows_in_the_exit_code(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse.land("worldbank_wdi", "latest", "a.csv", "1")
    assert main(["run"]) == 2
    assert "REFUSED a release folder whose name is not a date" in capsys.readouterr().out


def test_rollback_says_which_publication_is_live(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    present = held_by(warehouse.settings.warehouse)
    assert main(["rollback", "--to", present]) == 0
    assert capsys.readouterr().out == f"publication {present} is live\n"


def test_a_refusal_is_one_line_and_an_exit_code_not_a_traceback(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rollback"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("REFUSED nothing to roll back to | where: ")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("ROYALTY_DUCKDB_THREADS=2x", "ROYALTY_DUCKDB_THREADS='2x': Input should be a valid int"),
        ("ROYALTY_DUCKDB_THREADS=1000000000000", "less than or equal to 1024"),
        ("ROYALTY_DUCKDB_MEMORY_LIMIT=4", "Unknown unit for memory"),
        ("ROYALTY_DOWNLOADS=maybe", "ROYALTY_DOWNLOADS='maybe': Input should be a valid boolean"),
        ("ROYALTY_READER_SECONDS=1h", "ROYALTY_READER_SECONDS='1h'"),
        ("ROYALTY_SETTLE_SECONDS=inf", "finite number"),
        ("ROYALTY_SETTLE_SECONDS=-1", "greater than or equal to 0"),
        ("ROYALTY_KEEP_DAYS=99999999999", "less than or equal to 36500"),
        ("ROYALTY_FETCH_BASE_URLS=no JSON", "fetch_base_urls"),
        ("ROYALTY_WAREHOUSE_DIR=~no_such_user/x", "home directory"),
    ],
)
def test_a_setting_of_an_odd_value_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str, said: str
) -> None:
    name, _, value = setting.partition("=")
    monkeypatch.setenv(name, value)
    assert main(["status"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("REFUSED ")
    assert name in line.split(" | ")[1]
    assert said in line
    assert "pydantic" not in line


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no-such-command"])
    assert "invalid choice" in capsys.readouterr().err


def test_the_sql_shell_reads_the_published_file_and_cannot_write_to_it(
    warehouse: Warehouse,
) -> None:
    before = file_sha256(warehouse.settings.warehouse)
    result = subprocess.run(
        [sys.executable, "-m", "dagster_project", "sql"],
        cwd=PROJECT_ROOT,
        input="select 'publications', count(*) from audit.publication; drop table core.dim_source;",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "publications" in result.stdout
    assert "read-only" in result.stderr
    assert file_sha256(warehouse.settings.warehouse) == before


def test_without_a_published_file_there_is_no_sql_shell(
    folders: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql"]) == 1
    assert "REFUSED nothing to query" in capsys.readouterr().out


def test_without_the_workbench_nothing_is_loaded_or_published(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse.settings.workbench.unlink()
    before = file_sha256(warehouse.settings.warehouse)
    for arguments in (["run"], ["publish"], ["reject", "iso_3166/2026-02-16", "--reason", "x"]):
        assert main(arguments) == 1
        assert capsys.readouterr().out.startswith("REFUSED the workbench is lost | where: ")
        assert not warehouse.settings.workbench.exists()
    assert file_sha256(warehouse.settings.warehouse) == before


def test_a_damaged_published_file_is_not_taken_for_the_workbench(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse.settings.warehouse.unlink()
    warehouse.settings.warehouse.write_bytes(b"not a DuckDB file, once it was one")
    for arguments in (["metrics", "receipts"], ["sql"], ["report"]):
        assert main(arguments) == 1
        said = capsys.readouterr().out
        assert said.startswith("REFUSED the published file cannot be read | where: ")
        assert "`make rollback`" in said


def test_a_condition_that_is_not_sql_is_refused(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["metrics", "receipts", "--where", "foo ="]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("REFUSED a query that the published file cannot answer | where: ")


@pytest.mark.usefixtures("folders")
def test_the_ui_does_not_start_beside_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("the UI was started"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["dev", "--port", str(port)]) == 1
    assert capsys.readouterr().out.startswith(
        f"REFUSED the port is taken | where: 127.0.0.1:{port}"
    )


def test_a_closed_pipe_ends_a_command_quietly(warehouse: Warehouse) -> None:
    result = subprocess.run(
        f"{shlex.quote(sys.executable)} -m dagster_project status | head -n 1",
        cwd=PROJECT_ROOT,
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.startswith("warehouse ")
    assert result.stderr == ""
