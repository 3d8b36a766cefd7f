"""On a file system without hard links and symlinks, files are copied and renamed."""

import errno
import json
import os
import shutil
from typing import Any

import duckdb
import pytest

from dagster_project.base.hashing import file_sha256
from dagster_project.maintenance.status import status
from dagster_project.publication import publish as publishing
from dagster_project.publication.exports import exports_of
from dagster_project.publication.kept_files import (
    kept_publications,
    old_publications,
    publication_id,
)
from dagster_project.publication.publish import reconcile
from dagster_project.publication.rollback import roll_back
from dagster_project.publication.verify import verify
from dagster_project.report.site import write_report
from dagster_project.workbench.connection import write_lock
from tests.support import Warehouse, held_by, interrupt


@pytest.fixture(params=[errno.EPERM, errno.ENOTSUP, errno.EXDEV])
def without_links(
    request: pytest.FixtureRequest, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What exFAT, SMB and some mounts of a container answer. The warehouse has links still."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(request.param, os.strerror(request.param))

    for name in ("link", "symlink", "copy_file_range"):
        monkeypatch.setattr(os, name, fail)


def publish_again(warehouse: Warehouse) -> str:
    warehouse.restore_candidate()
    return warehouse.publish_candidate().publication_id


def current(warehouse: Warehouse) -> bytes:
    return (warehouse.settings.exports / "current" / "datapackage.json").read_bytes()


@pytest.mark.usefixtures("without_links")
def test_each_publication_goes_live_with_its_downloads_and_can_be_verified(
    warehouse: Warehouse,
) -> None:
    settings = warehouse.settings
    shutil.rmtree(settings.exports)  # links of the template
    for _ in range(2):
        identity = publish_again(warehouse)
        assert publication_id(settings) == held_by(settings.warehouse) == identity
        kept = kept_publications(settings)[0]
        assert not kept.samefile(settings.warehouse)
        assert file_sha256(kept) == file_sha256(settings.warehouse)
        assert settings.warehouse.stat().st_mode & 0o777 == 0o444
        live = exports_of(settings, identity) / "datapackage.json"
        assert current(warehouse) == live.read_bytes()
        assert not (settings.exports / "current").is_symlink()
        assert verify(settings).problems == []
    assert reconcile(settings) is None
    assert f"published     {identity}" in "\n".join(status(settings, lambda: "none"))


@pytest.mark.usefixtures("without_links")
def test_a_rollback_copies_the_kept_publication_and_it_is_not_pruned(warehouse: Warehouse) -> None:
    settings = warehouse.settings
    first = held_by(settings.warehouse)
    publish_again(warehouse)
    assert roll_back(settings) == first
    assert held_by(settings.warehouse) == publication_id(settings) == first
    assert json_version(current(warehouse)) == first
    one = settings.model_copy(update={"keep_publications": 1})
    assert old_publications(one) == []


def json_version(package: bytes) -> str:
    return str(json.loads(package)["version"])


@pytest.mark.usefixtures("without_links")
def test_an_interrupted_publication_is_completed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = warehouse.settings
    warehouse.restore_candidate()
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "activate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    assert reconcile(settings) == kept_publications(settings)[0]
    assert file_sha256(settings.warehouse) == file_sha256(kept_publications(settings)[0])


@pytest.mark.usefixtures("without_links")
def test_the_report_is_replaced(warehouse: Warehouse) -> None:
    settings = warehouse.settings
    for _ in range(2):
        done = write_report(settings)
        page = settings.report / "index.html"
        assert page.read_bytes() == (done.folder / "index.html").read_bytes()
        assert (settings.report / "data" / "datapackage.json").read_bytes() == current(warehouse)
    assert not settings.report.is_symlink()
    assert {path.name for path in settings.warehouse_dir.glob("report*")} == {"report", "reports"}


@pytest.mark.usefixtures("without_links")
def test_a_published_file_that_was_changed_is_reported(warehouse: Warehouse) -> None:
    publish_again(warehouse)
    live = warehouse.settings.warehouse
    times = live.stat().st_atime_ns, live.stat().st_mtime_ns
    live.chmod(0o644)
    with duckdb.connect(live) as con:
        con.execute("comment on table core.dim_region is 'extra'")
    os.utime(live, ns=times)
    problems = "; ".join(verify(warehouse.settings).problems)
    assert "the SHA-256 of the file is" in problems or "not one of the kept" in problems


def test_without_permissions_and_times_everything_is_published_all_the_same(
    warehouse: Warehouse, without_links: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    for name in ("chmod", "fchmod", "chown", "fchown", "setxattr"):
        monkeypatch.setattr(os, name, fail)
    settings = warehouse.settings
    warehouse.restore_candidate()
    with write_lock(settings):
        warehouse.publish_candidate()
        write_report(settings)
    assert verify(settings).problems == []
    assert (settings.report / "index.html").is_file()


def test_links_are_used_again_where_they_exist(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was moved to another file system."""
    settings = warehouse.settings
    current_folder = settings.exports / "current"
    current_folder.unlink()
    shutil.copytree(exports_of(settings, held_by(settings.warehouse)), current_folder)
    publish_again(warehouse)
    assert current_folder.is_symlink()
    assert not list(settings.exports.glob("*.old"))
