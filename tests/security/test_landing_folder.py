"""Whatever is in a landing folder, the other releases are found."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.base.hashing import folder_state, last_change
from dagster_project.ingest.pending_releases import plan_against, release_state, wait_until_settled
from tests.support import TEXT, Warehouse

SOURCE = "published_figures"


def deep(folder: Path) -> None:
    """Make a folder deeper than any path may be long."""
    before = Path.cwd()
    os.chdir(folder)
    for _ in range(500):
        os.mkdir("a" * 10)
        os.chdir("a" * 10)
    os.chdir(before)


# Change of a release's folder -> whether it can still be loaded.
IN_A_RELEASE: dict[str, tuple[Callable[[Path], object], bool]] = {
    "hidden link to nowhere": (lambda release: (release / ".x").symlink_to("nowhere"), True),
    "hidden link to itself": (lambda release: (release / ".x").symlink_to(".x"), True),
    "hidden link to /": (lambda release: (release / ".x").symlink_to("/"), True),
    "hidden pipe": (lambda release: os.mkfifo(release / ".x"), True),
    "times long ago": (lambda release: os.utime(release / TEXT.name, (-(2**33),) * 2), True),
    "times far ahead": (lambda release: os.utime(release / TEXT.name, (2**40,) * 2), True),
    "longest name": (lambda release: shutil.copy(TEXT, release / f"{'a' * 251}.csv"), True),
    "link to nowhere": (lambda release: (release / "x.csv").symlink_to("nowhere"), False),
    "link to itself": (lambda release: (release / "x.csv").symlink_to("x.csv"), False),
    "folder": (lambda release: (release / "x.csv").mkdir(), False),
    "deep folder": (deep, False),
}
BESIDE_IT: dict[str, Callable[[Path], object]] = {
    "release that is a link to itself": lambda source: (source / "2020-01-03").symlink_to(
        "2020-01-03"
    ),
    "release that is a link to nowhere": lambda source: (source / "2020-01-03").symlink_to("x"),
    "release that is a link to /": lambda source: (source / "2020-01-03").symlink_to("/"),
    "empty release": lambda source: (source / "2020-01-03").mkdir(),
    "year 0": lambda source: (source / "0000-01-01").mkdir(),
    "year 9999": lambda source: (source / "9999-12-31").mkdir(),
    "source that is a link to itself": lambda source: (source.parent / "ons_itis").symlink_to(
        "ons_itis"
    ),
    "source that is a file": lambda source: (source.parent / "ons_itis").touch(),
    "link to itself beside the sources": lambda source: (source.parent / "x").symlink_to("x"),
}


@pytest.fixture
def source(folders: Warehouse) -> Path:
    """A source with two releases."""
    for day in ("2020-01-01", "2020-01-02"):
        folders.land(SOURCE, day, TEXT.name, TEXT.read_bytes())
    return folders.landing / SOURCE


def new(landing: Path) -> list[str]:
    """The days of the new releases; the sensor asks for their states, a load waits for them."""
    found = [release for release in plan_against({}, landing).new if release.source == SOURCE]
    for release in found:
        release_state(release)
        wait_until_settled(release, 0.01)
    return [str(release.date) for release in found]


@pytest.mark.parametrize(("change", "usable"), IN_A_RELEASE.values(), ids=IN_A_RELEASE)
def test_a_release_does_not_hide_the_next(
    source: Path, change: Callable[[Path], object], usable: bool
) -> None:
    change(source / "2020-01-01")
    assert new(source.parent) == ["2020-01-01"] * usable + ["2020-01-02"]


@pytest.mark.parametrize("change", BESIDE_IT.values(), ids=BESIDE_IT)
def test_what_is_beside_releases_does_not_hide_them(
    source: Path, change: Callable[[Path], object]
) -> None:
    change(source)
    assert new(source.parent) == ["2020-01-01", "2020-01-02"]


def test_a_file_that_vanishes_while_its_folder_is_listed_is_not_in_it(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy tool renames its temporary file."""
    folder = source / "2020-01-01"
    listed, before = os.scandir, folder_state(folder)

    def listed_before(path: Path) -> object:
        (folder / ".tmp").touch()
        found = listed(path)
        entries = list(found)
        found.close()
        (folder / ".tmp").unlink()
        return _Closed(entries)

    monkeypatch.setattr(os, "scandir", listed_before)
    assert folder_state(folder) == before
    assert last_change(folder) > 0


class _Closed(list[os.DirEntry[str]]):
    """A listing that was read to its end."""

    def __enter__(self) -> "_Closed":
        return self

    def __exit__(self, *_: object) -> None:
        pass
