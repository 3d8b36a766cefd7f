"""Files and links are replaced in one step, also after a crash in the middle of one."""

import os
from pathlib import Path

import pytest

from dagster_project.base.durable_files import (
    replace_file,
    replace_folder,
    replace_text,
    sync,
)


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """A path whose replacement was prepared when a crash came."""
    (tmp_path / "current.new").write_text("half of it")
    return tmp_path / "current"


def test_a_text_is_replaced_whole(interrupted: Path) -> None:
    for text in ("old\n", "new\n"):
        replace_text(interrupted, text)
        assert interrupted.read_text() == text
    assert os.listdir(interrupted.parent) == ["current"]


def test_a_second_name_replaces_an_existing_file(interrupted: Path) -> None:
    for text in ("old", "new"):
        file = interrupted.with_name(text)
        file.write_text(text)
        replace_file(interrupted, file)
        assert interrupted.samefile(file)
    assert (interrupted.parent / "old").read_text() == "old"


def test_a_link_is_redirected_and_can_be_moved_with_its_folder(interrupted: Path) -> None:
    for name in ("old", "new"):
        (interrupted.parent / name).mkdir()
        replace_folder(interrupted, name)
        assert os.readlink(interrupted) == name
    assert interrupted.is_dir()


def test_files_and_folders_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bool] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: flushed.append(os.path.isdir(f"/proc/self/fd/{descriptor}"))
    )
    file = tmp_path / "file"
    file.touch()
    sync(file)
    sync(tmp_path)
    assert flushed == [False, True]
