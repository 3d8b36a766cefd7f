"""The harness itself: its crashes come when they should, and it sees problems."""

import time
from pathlib import Path

import duckdb
import pytest

from tests.support import Warehouse
from tests.survival.crash_points import (
    ENDED,
    KILLED,
    After,
    Death,
    Point,
    RunFailedError,
    in_child,
    result_of,
)
from tests.survival.crashes import POINTS, inspect_warehouse

pytestmark = pytest.mark.slow


def note(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def work(path: Path) -> None:
    note(path, "a")
    note(path, "b")
    until = time.process_time() + 0.5
    while time.process_time() < until:
        pass
    note(path, "c")


NOTE = f"{__name__}:note"


@pytest.mark.parametrize(
    ("death", "ends", "done"),
    [
        (None, ENDED, "abc"),
        (Point(NOTE), KILLED, ""),
        (Point(NOTE, leaving=True), KILLED, "a"),
        (Point(NOTE, leaving=True, about="b"), KILLED, "ab"),
        (Point(NOTE, about="nothing"), ENDED, "abc"),
        (Point(NOTE, call=3), KILLED, "ab"),
        (Point(NOTE, call=4), ENDED, "abc"),
        (After(0.2), KILLED, "ab"),
        (After(100, Point(NOTE, about="c")), KILLED, "ab"),
    ],
)
def test_a_run_dies_where_it_should(
    tmp_path: Path, death: Death | None, ends: str, done: str
) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    assert in_child(lambda: work(notes), tmp_path / "log", {}, death) == ends
    assert notes.read_text() == done


def fail() -> None:
    print("what it printed")
    raise ValueError("made up")


def test_a_failed_run_is_distinguished_from_a_killed_one(tmp_path: Path) -> None:
    with pytest.raises(RunFailedError, match=r"(?s)what it printed.*ValueError: made up"):
        in_child(fail, tmp_path / "log", {}, After(100))


def test_every_chosen_point_is_a_function_of_the_product(tmp_path: Path) -> None:
    for point in {point for points in POINTS.values() for point in points}:
        assert in_child(point.watch, tmp_path / "log", {}) == ENDED


def test_a_whole_publication_is_distinguished_from_a_damaged_one(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    def found() -> list[str]:
        inspected = result_of(lambda: inspect_warehouse(warehouse), tmp_path / "log", {})
        return [*inspected["lost"], *inspected["unaudited"]]

    published = warehouse.settings.warehouse
    assert found() == []
    published.chmod(0o644)
    with duckdb.connect(published) as con:
        con.execute("update marts.mart_world_ranking set receipts_usd_m = 0")
    assert found() == [f"{published.name}: marts.mart_world_ranking is not as published"]
    published.unlink()
    published.write_bytes(b"made up")
    (unreadable,) = [problem for problem in found() if "cannot be read" in problem]
    assert unreadable.startswith(published.name)
