import os
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from time import tzset

import pytest

from dagster_project.sources import source
from dagster_project.sources.source import landed_releases
from tests.support import Warehouse


def problem_with(folders: Warehouse) -> tuple[str, str]:
    """The message on the one unusable folder, and its path."""
    releases, (problem,) = landed_releases("made_up", folders.landing)
    assert releases == []
    assert problem.expected
    assert problem.found
    assert problem.fix
    return problem.what, problem.where


def test_releases_are_listed_oldest_first_with_their_files_by_name(folders: Warehouse) -> None:
    for release in ("2021-09-15", "2016-03-01"):
        folders.land("made_up", release, "b.csv", "1")
        folders.land("made_up", release, "a (1), final+.csv", "1")
    releases, problems = landed_releases("made_up", folders.landing)
    assert problems == []
    assert [release.label for release in releases] == ["made_up 2016-03-01", "made_up 2021-09-15"]
    assert [path.name for path in releases[0].files] == ["a (1), final+.csv", "b.csv"]


@pytest.mark.parametrize("name", ["latest", "2021-13-01", "2021-9-15", "20210915", "2021-W37-3"])
def test_a_folder_whose_name_is_not_a_date_is_refused(folders: Warehouse, name: str) -> None:
    folders.land("made_up", name, "a.csv", "1")
    assert problem_with(folders) == (
        "a release folder whose name is not a date",
        f"made_up/{name}",
    )


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+12", "Etc/GMT-14", "Pacific/Apia"])
def test_a_release_may_be_dated_by_the_publishers_day_wherever_the_machine_is(
    folders: Warehouse, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the evening of 30 November in UTC, and 1 December east of Berlin."""
    clock = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    for day in ("2026-11-30", "2026-12-01", "2026-12-02"):
        folders.land("made_up", day, "a.csv", "1")
    monkeypatch.setenv("TZ", zone)
    tzset()
    try:
        releases, (problem,) = landed_releases("made_up", folders.landing, lambda: clock)
    finally:
        monkeypatch.undo()
        tzset()
    assert [str(release.date) for release in releases] == ["2026-11-30", "2026-12-01"]
    assert problem.what == "a release dated in the future"
    assert problem.expected == "a publication date up to 2026-12-01"
    assert "2026-11-30 23:30 UTC by the machine's clock" in problem.found
    assert problem.fix.startswith("if that is wrong, set the machine's clock; otherwise rename")


def test_an_empty_folder_is_refused(folders: Warehouse) -> None:
    (folders.landing / "made_up" / "2021-09-15").mkdir(parents=True)
    assert problem_with(folders) == ("a release without files", "made_up/2021-09-15")


def test_a_folder_with_only_hidden_files_is_empty(folders: Warehouse) -> None:
    folders.land("made_up", "2021-09-15", ".DS_Store", "1")
    assert problem_with(folders)[0] == "a release without files"


def test_hidden_files_beside_raw_files_are_left_out(folders: Warehouse) -> None:
    folders.land("made_up", "2021-09-15", ".DS_Store", "1")
    folders.land("made_up", "2021-09-15", "a.csv", "1")
    (release,), _ = landed_releases("made_up", folders.landing)
    assert [path.name for path in release.files] == ["a.csv"]


@pytest.mark.parametrize("name", ["*.csv", "a?.csv", "[a].csv", "-a.csv", "a';drop.csv", "a\n.csv"])
def test_an_odd_file_name_is_refused(folders: Warehouse, name: str) -> None:
    folders.land("made_up", "2021-09-15", name, "1")
    assert problem_with(folders) == (
        "a file name with unsupported characters",
        "made_up/2021-09-15",
    )


def test_one_bad_folder_does_not_stop_the_others(folders: Warehouse) -> None:
    folders.land("made_up", "new", "a.csv", "1")
    folders.land("made_up", "2021-09-15", "a.csv", "1")
    folders.land("made_up", "2022-09-15", "*.csv", "1")
    releases, problems = landed_releases("made_up", folders.landing)
    assert (len(releases), len(problems)) == (1, 2)


def test_a_loose_file_beside_the_release_folders_is_not_a_release(
    folders: Warehouse, tmp_path: Path
) -> None:
    folders.land("made_up", "2021-09-15", "a.csv", "1")
    (folders.landing / "made_up" / "README.md").write_text("made up")
    releases, problems = landed_releases("made_up", folders.landing)
    assert (len(releases), problems) == (1, [])


def test_anything_but_a_regular_file_is_refused_and_named(folders: Warehouse) -> None:
    secret = folders.land("elsewhere", "2021-09-15", "secret.txt", "secret")
    release = folders.landing / "made_up" / "2021-09-15"
    folders.land("made_up", "2021-09-15", "a.csv", "1")
    for make in (
        lambda path: path.symlink_to(secret),
        lambda path: path.symlink_to("gone"),
        lambda path: path.mkdir(),
        os.mkfifo,
    ):
        make(release / "b.csv")
        assert problem_with(folders) == (
            "not a regular file",
            "made_up/2021-09-15/b.csv",
        )
        (release / "b.csv").rmdir() if (release / "b.csv").is_dir() else (
            release / "b.csv"
        ).unlink()
    releases, problems = landed_releases("made_up", folders.landing)
    assert (len(releases), problems) == (1, [])


def test_a_link_in_place_of_a_release_is_refused(folders: Warehouse) -> None:
    folders.land("elsewhere", "2021-09-15", "a.csv", "1")
    (folders.landing / "made_up").mkdir()
    (folders.landing / "made_up" / "2021-09-15").symlink_to(
        folders.landing / "elsewhere" / "2021-09-15"
    )
    assert problem_with(folders) == ("not a regular file", "made_up/2021-09-15")


def test_a_file_that_may_not_be_read_is_refused(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.land("made_up", "2021-09-15", "a.csv", "1")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may read everything
    assert problem_with(folders) == (
        "a file or folder that cannot be read",
        "made_up/2021-09-15/a.csv",
    )


def test_a_folder_that_may_not_be_listed_is_refused(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.land("made_up", "2021-09-15", "a.csv", "1")
    monkeypatch.setattr(source, "landed_release", _not_permitted)
    assert problem_with(folders)[0] == "a file or folder that cannot be read"


def _not_permitted(_source: str, folder: Path, *_rest: object) -> None:
    raise PermissionError(13, "Permission denied", str(folder))


@pytest.mark.parametrize("name", ["a\nREFUSED b", "\udcff", "\x1b[31m", "'; drop table x; --"])
def test_a_folder_with_a_hostile_name_is_named_in_printable_text(
    folders: Warehouse, name: str
) -> None:
    os.makedirs(os.fsencode(folders.landing / "made_up") + b"/" + os.fsencode(name))
    _, where = problem_with(folders)
    assert where.isprintable()
    where.encode()


COMPANIONS = [
    "~$a.xlsx",
    "~wrl0001.tmp",
    "a.csv~",
    "a.csv:Zone.Identifier",
    "a.csv:Zone.Identifier:$DATA",
    "a.csvZone.Identifier",
    "Thumbs.db",
    "thumbs.DB",
    "desktop.ini",
    "Desktop.ini",
    "._a.csv",
    ".~lock.a.csv#",
    ".DS_Store",
    "Icon\r",
    "a.csv.crdownload",
    "Unconfirmed 123.crdownload",
    "a.csv.part",
    "a.csv.partial",
    "a.csv.download",
    "a.csv.swp",
]


@pytest.mark.parametrize("name", COMPANIONS)
def test_what_other_programs_leave_beside_files_is_ignored(folders: Warehouse, name: str) -> None:
    folders.land("made_up", "2021-09-15", "a.csv", "1")
    folders.land("made_up", "2021-09-15", name, "1")
    (release,), problems = landed_releases("made_up", folders.landing)
    assert problems == []
    assert [path.name for path in release.files] == ["a.csv"]
    assert release.ignored == (() if name[0] == "." else (name,))


@pytest.mark.parametrize("name", ["__MACOSX", "@eaDir", "$RECYCLE.BIN"])
def test_folders_of_other_programs_are_ignored(folders: Warehouse, name: str) -> None:
    folders.land("made_up", "2021-09-15", "a.csv", "1")
    folders.land("made_up", f"2021-09-15/{name}", "a.csv", "1")
    folders.land("made_up", name, "a.csv", "1")
    (release,), problems = landed_releases("made_up", folders.landing)
    assert (problems, release.ignored) == ([], (name,))


def test_a_release_of_nothing_else_says_so(folders: Warehouse) -> None:
    folders.land("made_up", "2021-09-15", "~$a.xlsx", "1")
    _, (problem,) = landed_releases("made_up", folders.landing)
    assert problem.what == "a release without files"
    assert problem.found == "only files of other programs: ~$a.xlsx"


@pytest.mark.parametrize(
    "name", ["50%25 of all.csv", "it's.csv", "no. #1.csv", "a&b=c@d!.csv", "国の統計 é.csv"]
)
def test_names_as_publishers_give_them_are_accepted(folders: Warehouse, name: str) -> None:
    folders.land("made_up", "2021-09-15", name, "1")
    (release,), problems = landed_releases("made_up", folders.landing)
    assert (problems, [path.name for path in release.files]) == ([], [name])


def test_two_forms_of_one_name_are_refused(folders: Warehouse) -> None:
    for form in ("NFC", "NFD"):
        folders.land("made_up", "2021-09-15", unicodedata.normalize(form, "é.csv"), "1")
    assert problem_with(folders) == ("two files of one name", "made_up/2021-09-15")
