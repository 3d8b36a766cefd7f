"""The machine is not blamed by words, nor a file excused: the type of an error decides."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.alerts.run_failure import machine_error_of
from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import MachineError
from dagster_project.ingest import release_reader
from dagster_project.ingest.load_release import load_release
from dagster_project.layouts.zip_layout import unpacked_once
from tests.base.test_machine_errors import WORDS
from tests.security.hostile import (
    BOOK,
    CSV,
    CSV_SHEET,
    JSON,
    archive,
    load,
    release_in,
    source_of,
    workbench,
    zipped,
)

NAMES = [f"{words}.{kind}" for words in WORDS[:3] for kind in ("json", "csv")]


@pytest.mark.parametrize("name", NAMES)
def test_a_files_name_is_a_verdict_on_the_file(tmp_path: Path, name: str) -> None:
    release = release_in(tmp_path, {name: b'{"things": [{"code": '})
    with workbench() as con:
        with pytest.raises(BadInput) as caught:
            load(con, release, JSON, CSV)
        assert not isinstance(caught.value, MachineError)
        assert con.execute("select status from audit.releases").fetchall() == [("rejected",)]


@pytest.mark.parametrize("words", WORDS)
def test_a_value_is_a_verdict_on_the_file(tmp_path: Path, words: str) -> None:
    content = json.dumps({"things": [{"code": "A", "name": {words: words}}]}).encode()
    with workbench() as con:
        with pytest.raises(BadInput) as caught:
            load(con, release_in(tmp_path, {"a.json": content}), JSON)
        assert not isinstance(caught.value, MachineError)
        assert con.execute("select status from audit.releases").fetchall() == [("rejected",)]


def _no_space(*_: object) -> Any:
    raise OSError(28, "No space left on device")


def _denied(*_: object) -> Any:
    raise PermissionError(13, "Permission denied", "/made/up")


def _too_many(*_: object) -> Any:
    raise OSError(24, "Too many open files")


def _out_of_memory(*_: object) -> Any:
    raise duckdb.OutOfMemoryException("Out of Memory Error: made up")


def _io(*_: object) -> Any:
    raise duckdb.IOException('IO Error: Could not write file "a": No space left on device')


@pytest.mark.parametrize("failing", [_no_space, _denied, _too_many, _out_of_memory, _io])
def test_an_error_of_the_machine_while_reading_rejects_nothing(
    tmp_path: Path, failing: Any
) -> None:
    layout = release_reader.replace(CSV_SHEET, parse=failing)
    release = release_in(tmp_path, {"a.csv": b"label,figure\nJapan,1\n"})
    with workbench() as con:
        with pytest.raises(MachineError):
            load_release(con, source_of(layout), release)
        assert con.execute("select count(*) from audit.releases").fetchall() == [(0,)]


# What Dagster keeps of an error: its type, its text and its causes.


def failed_with(error: BaseException) -> list[Any]:
    """The events of a run whose step raised this."""

    @dg.op
    def failing() -> None:
        raise error

    @dg.job
    def failing_job() -> None:
        failing()

    with dg.DagsterInstance.ephemeral() as instance:
        result = failing_job.execute_in_process(instance=instance, raise_on_error=False)
    return list(result.all_events)


def _caused_by(error: BaseException) -> dg.Failure:
    try:
        raise dg.Failure("a step failed: Permission denied") from error
    except dg.Failure as failure:
        return failure


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        PermissionError(13, "Permission denied", "a"),
        MemoryError(),
        duckdb.IOException("IO Error: made up"),
        duckdb.TransactionException(
            'TransactionContext Error: Failed to commit: Could not write file "a.wal":'
            " No space left on device"
        ),
        duckdb.OutOfMemoryException("made up"),
        MachineError("the disk is full", where="a", expected="b", found="c", fix="d"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda error: error, _caused_by], ids=["itself", "cause"])
def test_a_run_that_failed_for_the_machine_is_recognized(error: Exception, wrap: Any) -> None:
    assert machine_error_of(failed_with(wrap(error)))


@pytest.mark.parametrize("words", [*WORDS, "[Errno 28] No space left on device"])
@pytest.mark.parametrize("kind", [ValueError, RuntimeError, duckdb.ConversionException])
def test_a_run_that_failed_with_such_words_is_not(kind: Any, words: str) -> None:
    assert machine_error_of(failed_with(kind(words))) is None
    assert machine_error_of(failed_with(kind(f"a\nOSError: {words}"))) is None
    assert machine_error_of(failed_with(_caused_by(kind(words)))) is None
    assert machine_error_of(failed_with(dg.Failure(words))) is None
    verdict = BadInput("a", where=words, expected="b", found=words, fix="c")
    assert machine_error_of(failed_with(_caused_by(verdict))) is None


def test_dbts_failures_are_recognized_by_their_exception() -> None:
    from dagster_project.transform.dbt_runner import _note_machine_error

    event = SimpleNamespace(
        info=SimpleNamespace(name="CatchableExceptionOnRun"),
        data=SimpleNamespace(node_info=SimpleNamespace(node_name="stg_made_up")),
    )
    found: list[MachineError] = []
    for error in (duckdb.ConversionException("No space left on device"), _disk_is_full()):
        try:
            raise RuntimeError(str(error)) from error  # as dbt-duckdb does
        except RuntimeError:
            _note_machine_error(found, event)
    assert [(problem.what, problem.where) for problem in found] == [
        ("the disk is full", "stg_made_up")
    ]


def _disk_is_full() -> duckdb.Error:
    return duckdb.IOException('IO Error: Could not write file "a": No space left on device')


@pytest.mark.parametrize("layout", [BOOK, zipped(CSV)])
@pytest.mark.parametrize("look", ["likeness", "mismatch"])
def test_an_error_of_the_machine_is_no_sign_of_another_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Any, look: str
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive(tmp_path / "a.tmp", {"data.csv": "code,name\nA,b\n"}))
    for opened in ("workbook.precheck", "zip_layout.ZipFile"):
        monkeypatch.setattr(f"dagster_project.layouts.{opened}", _too_many)
    with unpacked_once(), pytest.raises(OSError, match="Too many open files"):
        getattr(layout, look)(path)
