"""The URL of Dagster's PostgreSQL database: what is refused, and that no message quotes it."""

import os
import socket

import pytest
from dagster import DagsterInstance

from dagster_project.__main__ import main
from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.dagster_postgres import VARIABLE, use_postgres
from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import machine_error_behind
from tests.postgres import needs_postgres, postgres
from tests.support import Warehouse

SECRET = "hunter2"


def refusal(monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises(BadInput) as refused:
        use_postgres()
    chain = ""
    error: BaseException | None = refused.value
    while error:
        chain += f"{error} {error.args}"
        error = None if error.__suppress_context__ else error.__context__
    assert SECRET not in chain
    return str(refused.value)


@pytest.mark.parametrize("url", [None, "", "  "])
def test_without_a_url_dagster_keeps_files(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if url is not None:
        monkeypatch.setenv(VARIABLE, url)
    assert not use_postgres()
    assert "postgres" not in (dagster_home() / "dagster.yaml").read_text()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (f"royalty:{SECRET}@", "not the URL of a database"),
        (f"host=db password={SECRET}", "not the URL of a database"),
        (f"postgresql://royalty:{SECRET}@db:port/dagster", "not the URL of a database"),
        (f"mysql://royalty:{SECRET}@db/dagster", "a URL of mysql"),
        (f"postgresql+asyncpg://royalty:{SECRET}@db/dagster", "a URL of postgresql+asyncpg"),
        (f"postgresql://royalty:p@{SECRET}@db/dagster", "a host name with @"),
        (f"postgresql://royalty:{SECRET}@127.0.0.1/dagster?colour=red", "colour"),
    ],
)
def test_what_is_no_url_is_refused_without_quoting_it(
    monkeypatch: pytest.MonkeyPatch, url: str, found: str
) -> None:
    said = refusal(monkeypatch, url)
    assert said.startswith(f"an invalid setting | where: {VARIABLE} | expected: postgresql://")
    assert found in said


def test_a_server_that_is_down_is_one_message_without_the_password(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    dagster_home()  # there has been a run
    with socket.socket() as taken:  # bound, without a listener
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://royalty:{SECRET}@127.0.0.1:{taken.getsockname()[1]}/dagster"
        monkeypatch.setenv(VARIABLE, url)
        for arguments in (["dev"], ["prune"], ["run"]):
            folders.land("published_figures", "2020-01-01", "a.csv", "a")  # something to do
            assert main(arguments) == 1
            out, err = capfd.readouterr()
            (line,) = [line for line in out.splitlines() if "REFUSED" in line]
            assert "Dagster's PostgreSQL database cannot be reached | where: ROYALTY_DAG" in line
            assert "Connection refused" in line
            assert SECRET not in out + err
            assert "Traceback" not in out + err
        assert main(["status"]) == 0
        out, err = capfd.readouterr()
        assert "last failure  unknown: Dagster's PostgreSQL database cannot be reached" in out
        assert SECRET not in out + err


@needs_postgres
def test_a_server_that_does_not_let_one_in_says_so(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres() as server:
        wrong = f"postgresql://royalty:{SECRET}@127.0.0.1:{server.port}/postgres"
        assert "password authentication failed" in refusal(monkeypatch, wrong)
        missing = f"{server.url.removesuffix('postgres')}missing"
        assert 'database "missing" does not exist' in refusal(monkeypatch, missing)
        for scheme in ("postgres", "postgresql+psycopg2"):
            monkeypatch.setenv(VARIABLE, server.url.replace("postgresql", scheme, 1))
            home = dagster_home()
            assert os.environ[VARIABLE].startswith("postgresql+psycopg2://")
            kept = (home / "dagster.yaml").read_text()
            assert f"env: {VARIABLE}" in kept
            assert "royalty:" not in kept


@needs_postgres
def test_retries_of_a_connection_are_silent_and_their_end_is_an_error_of_the_machine(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with postgres() as server:
        monkeypatch.setenv(VARIABLE, server.url)
        dagster_home()
        with DagsterInstance.get() as instance:
            assert instance.get_runs() == []
            server.kill()
            with pytest.raises(Exception, match="too many retries") as failed:
                instance.get_runs()
    problem = machine_error_behind(failed.value)
    assert problem is not None
    assert problem.what == "Dagster's PostgreSQL database cannot be reached"
    assert SECRET not in str(problem)
    assert not [record for record in caplog.records if "Retrying" in record.getMessage()]
