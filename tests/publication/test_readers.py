"""Who may read published files: a setting, whatever the umask and the permissions before."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.__main__ import main
from dagster_project.base.errors import BadInput
from dagster_project.base.private_files import Readers, public_folder
from dagster_project.base.settings import Settings
from dagster_project.maintenance.status import status
from dagster_project.report.site import write_report
from dagster_project.workbench.connection import write_lock
from tests.support import Warehouse

GROUP = 54322
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files to any group")


@pytest.fixture(params=[0o000, 0o027, 0o077], ids=["umask 000", "umask 027", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def published(settings: Settings) -> Iterator[Path]:
    """Everything that readers can open, with the folders that lead there."""
    tops = [settings.publications, settings.exports, settings.reports]
    yield from (settings.warehouse_dir, settings.warehouse, *tops)
    for folder in tops:
        yield from (path for path in folder.rglob("*") if not path.is_symlink())


def outsiders(settings: Settings) -> list[str]:
    """Return what is not the group's alone: who else may open it, or that the group may not."""
    return [
        f"{path} {permissions(path):o} {path.stat().st_gid}"
        for path in published(settings)
        if path.stat().st_gid != GROUP
        or permissions(path) not in ((0o750,) if path.is_dir() else (0o440, 0o640))
    ]


@AS_ROOT
@pytest.mark.usefixtures("umask")
def test_the_group_of_the_setting_reads_and_no_other_user(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_READ_GROUP", str(GROUP))
    settings = warehouse.settings
    warehouse.restore_candidate()
    with write_lock(settings):  # earlier publications change hands, too
        warehouse.publish_candidate()
    write_report(settings)
    assert outsiders(settings) == []
    assert permissions(settings.workbench) == 0o600
    monkeypatch.setenv("ROYALTY_READ_GROUP", "everyone")
    with write_lock(warehouse.settings):
        pass
    assert [path for path in published(settings) if not permissions(path) & stat.S_IROTH] == []


@pytest.mark.usefixtures("umask")
def test_a_closed_warehouse_folder_is_opened_if_the_setting_says_so(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = folders.settings
    settings.warehouse_dir.mkdir(0o700)
    settings.publications.mkdir(0o700)
    with write_lock(settings):
        assert permissions(settings.warehouse_dir) == 0o700  # it may hold other things
        assert permissions(settings.publications) == 0o755
    monkeypatch.setenv("ROYALTY_READ_GROUP", "everyone")
    with write_lock(folders.settings):
        assert permissions(settings.warehouse_dir) == 0o755


def test_status_names_the_folder_that_keeps_readers_out(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = folders.settings
    settings.warehouse_dir.mkdir(0o700)
    (line,) = [line for line in status(settings, lambda: "none") if line.startswith("readers")]
    assert line.startswith(f"readers       only its owner: {settings.warehouse_dir} is closed")
    assert "ROYALTY_READ_GROUP" in line


@AS_ROOT
@pytest.mark.usefixtures("umask")
def test_the_group_of_a_setgid_folder_is_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o2750)
    os.chown(tmp_path, -1, GROUP)
    public_folder(tmp_path / "inner")
    Readers().may_read(tmp_path / "inner")
    assert permissions(tmp_path / "inner") == 0o2755
    assert (tmp_path / "inner").stat().st_gid == GROUP


def test_an_unknown_group_is_named_with_its_setting(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROYALTY_READ_GROUP", "no-such-group")
    assert main(["status"]) == 1
    said = capsys.readouterr().out
    assert "ROYALTY_READ_GROUP" in said
    assert "no group of that name on this machine: no-such-group" in said


def test_a_group_that_the_user_is_not_in_is_named_with_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", fail)
    with pytest.raises(BadInput, match="ROYALTY_READ_GROUP"):
        Readers(GROUP).may_read(tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(0o600)
    (tmp_path / "folder").mkdir(0o700)
    (tmp_path / "folder" / "link").symlink_to(outside)
    Readers().may_read(tmp_path / "folder")
    assert permissions(tmp_path / "folder") == 0o755
    assert permissions(outside) == 0o600
