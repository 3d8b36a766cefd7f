from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.machine_errors import machine_error, machine_error_behind


def not_a_database(path: Path) -> None:
    path.write_bytes(b"made up" * 1000)
    duckdb.connect(path)


def too_little_memory(path: Path) -> None:
    with duckdb.connect(path, config={"memory_limit": "1MB", "temp_directory": ""}) as con:
        con.execute("select range from range(10000000) order by random()").fetchall()


def full_device(path: Path) -> None:
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"1")


@pytest.mark.parametrize(
    ("failing", "what"),
    [
        (not_a_database, "a damaged database file"),
        (too_little_memory, "not enough memory"),
        (full_device, "the disk is full"),
    ],
)
def test_a_machine_error_is_recognized_by_its_message(
    tmp_path: Path, failing: Callable[[Path], None], what: str
) -> None:
    with pytest.raises((OSError, duckdb.Error)) as caught:
        failing(tmp_path / "file")
    problem = machine_error_behind(caught.value)
    assert problem
    assert problem.what == what
    assert problem.found in str(caught.value)


def test_a_machine_error_is_found_behind_the_error_raised_from_it() -> None:
    try:
        try:
            raise OSError(28, "No space left on device", "/made/up")
        except OSError as error:
            raise RuntimeError("a step failed") from error
    except RuntimeError as error:
        problem = machine_error_behind(error)
    assert problem
    assert "/made/up" in problem.found


def test_the_line_with_the_error_is_shown() -> None:
    problem = machine_error("2 nodes failed\n  IO Error: No space left on device\nat line 1")
    assert problem
    assert problem.found == "IO Error: No space left on device"


def test_other_errors_are_not_the_machines_fault() -> None:
    assert machine_error("expected: value is a number with a decimal point") is None
    assert machine_error_behind(ValueError("made up")) is None
