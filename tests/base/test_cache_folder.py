"""The cache is where the user alone can write."""

import os
from pathlib import Path

import pytest

from dagster_project.base import cache_folder as caching
from dagster_project.base import settings
from dagster_project.base.cache_folder import cache_folder
from dagster_project.base.errors import BadInput


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, a Dagster home and a home of the user's own; no setting."""
    monkeypatch.delenv("ROYALTY_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(caching, "PROJECT_ROOT", tmp_path / "checkout")
    monkeypatch.setattr(settings, "PROJECT_ROOT", tmp_path / "checkout")
    (tmp_path / "checkout").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster_home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    caching._temporary_folder.cache_clear()
    return tmp_path / "checkout"


def closed(*folders: Path) -> None:
    """Have something in the way of each folder, which stops root as well."""
    for folder in folders:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("not a folder")


def test_the_checkout_has_it_and_the_owner_alone_can_read_it(checkout: Path) -> None:
    folder = cache_folder("dbt")
    assert folder.parent == checkout / ".cache"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_checkout_that_cannot_be_written_to_has_it_elsewhere(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(checkout / ".cache")
    assert cache_folder("dbt").parent == tmp_path / "dagster_home" / "cache"
    monkeypatch.delenv("DAGSTER_HOME")
    assert cache_folder("dbt").is_relative_to(tmp_path / "home")
    monkeypatch.setenv("HOME", "/dev/null")
    folder = cache_folder("dbt")
    assert not folder.is_relative_to(tmp_path / "home")
    assert folder == cache_folder("dbt")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_setting_comes_first_and_is_named_if_it_does_not_work(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_CACHE_DIR", "of its own")
    assert cache_folder("dbt").parent == checkout / "of its own"
    closed(tmp_path / "file")
    monkeypatch.setenv("ROYALTY_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(BadInput, match="ROYALTY_CACHE_DIR") as caught:
        cache_folder("dbt")
    assert str(tmp_path / "file") in caught.value.where


def test_copies_of_the_project_share_nothing(tmp_path: Path) -> None:
    assert cache_folder("dbt", tmp_path / "one") != cache_folder("dbt", tmp_path / "two")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a folder away")
def test_a_folder_of_another_user_is_not_used(checkout: Path, tmp_path: Path) -> None:
    planted = cache_folder("dbt")
    os.chown(planted, 54321, 54321)
    assert cache_folder("dbt").parent == tmp_path / "dagster_home" / "cache"
