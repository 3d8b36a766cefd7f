"""A folder counts as complete only when everything that its marker lists is there, unchanged."""

import os
import time
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from dagster_project.base.complete_marker import MARKER, is_marked_complete, mark_complete

FILES = {"a.csv": "x" * 100, "b.csv": "y" * 10}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    mark_complete(folder)
    return folder


def test_a_marked_folder_is_complete_also_after_it_was_moved(folder: Path) -> None:
    assert is_marked_complete(folder)
    assert is_marked_complete(folder.rename(folder.with_name("elsewhere")))


def test_a_folder_without_a_marker_is_not(folder: Path) -> None:
    (folder / MARKER).unlink()
    assert not is_marked_complete(folder)
    assert not is_marked_complete(folder / "missing")


def tick() -> None:
    time.sleep(0.02)  # longer than the clock of file times


def change(path: Path) -> None:
    tick()
    path.write_text(path.read_text())


@pytest.mark.parametrize(
    "then",
    [
        lambda folder: (folder / "a.csv").unlink(),
        lambda folder: (folder / "c.csv").write_text("z"),
        lambda folder: (folder / ".a.csv.Xq3f").write_text("z"),
        lambda folder: (folder / "a.csv").write_text("x" * 99),
        lambda folder: change(folder / "a.csv"),  # of the same size
        lambda folder: (folder / "a.csv").rename(folder / "d.csv"),
        lambda folder: (folder / MARKER).write_text(""),
        lambda folder: (folder / MARKER).write_text("[]"),
        lambda folder: (folder / MARKER).write_bytes(b"\xff"),
    ],
)
def test_what_happens_after_the_mark_makes_it_invalid(
    folder: Path, then: Callable[[Path], object]
) -> None:
    then(folder)
    assert not is_marked_complete(folder)


@pytest.mark.parametrize("order", list(permutations([*FILES, MARKER])))
def test_a_copy_is_never_complete_before_its_last_byte_in_whatever_order(
    folder: Path, order: tuple[str, ...]
) -> None:
    copy = folder.with_name("copy")
    copy.mkdir()
    left = sum((folder / name).stat().st_size for name in order)
    for name in order:
        with (copy / name).open("wb") as file:
            for byte in (folder / name).read_bytes():
                assert not is_marked_complete(copy)
                file.write(bytes([byte]))
                file.flush()
                left -= 1
        os.utime(copy / name, (1, 1))  # as copying tools do at the end
        tick()
    assert left == 0
    # Only a marker that arrived last proves it; otherwise the folder has to stay unchanged.
    assert is_marked_complete(copy) == (order[-1] == MARKER)
