"""A file system that lacks what a warehouse needs is refused by name, at the start."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from dagster_project.__main__ import main
from dagster_project.base.errors import BadInput
from dagster_project.base.file_system import has_permissions
from tests.support import Warehouse


def unsupported(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


def test_a_local_disk_has_everything_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    assert has_permissions(tmp_path / "new" / "folder", "A_SETTING")
    assert os.listdir(tmp_path / "new" / "folder") == []


def test_locks_that_do_not_exclude_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    with pytest.raises(BadInput, match="no locks") as caught:
        has_permissions(tmp_path, "A_SETTING")
    assert "A_SETTING" in caught.value.fix


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK, errno.EINVAL])
@pytest.mark.parametrize(
    ("module", "name", "lacks"),
    [
        (fcntl, "flock", "locks"),
        (fcntl, "lockf", "locks"),
        (os, "replace", "rename over an open file"),
        (os, "fsync", "fsync of a folder"),
    ],
)
def test_what_is_missing_is_named(
    folders: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    module: Any,
    name: str,
    lacks: str,
    number: int,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, name, fail)
    assert main(["run"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("REFUSED a file system that lacks what a warehouse needs | where: ")
    assert f"found: no {lacks}" in said
    assert "ROYALTY_WAREHOUSE_DIR" in said
    assert os.listdir(folders.settings.warehouse_dir) == []


@pytest.mark.parametrize("setting", ["ROYALTY_WAREHOUSE_DIR", "DAGSTER_HOME"])
def test_a_folder_that_cannot_be_written_to_is_named_with_its_setting(
    folders: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    setting: str,
) -> None:
    monkeypatch.setenv(setting, "/proc/version/warehouse")
    assert main(["run"]) == 1
    said = capsys.readouterr().out
    assert f"expected: {setting} is a folder" in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_lacks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It is reported with the release, or the file, for which there is no room."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", fail)
    assert has_permissions(tmp_path, "A_SETTING")
    monkeypatch.setattr(os, "mkdir", fail)
    assert has_permissions(tmp_path, "A_SETTING")


def test_a_folder_of_another_user_is_named_with_its_setting(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "a name")

    monkeypatch.setattr("dagster_project.base.file_system.TemporaryDirectory", fail)
    assert main(["run"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("FAILED a file or folder that may not be written to | where: ")
    assert "found: [Errno 13] Permission denied; ROYALTY_WAREHOUSE_DIR chose that folder" in said
    assert str(folders.settings.warehouse_dir) in said


def test_a_file_system_without_permissions_is_named_and_used(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dagster_project.__main__.has_permissions", lambda *_: False)
    assert main(["prune"]) == 0
    assert "file system without permissions" in capsys.readouterr().out
