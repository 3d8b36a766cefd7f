"""A release is read once: what is hashed is read, whatever happens in the landing folder."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.base.errors import BadInput, TryLater
from dagster_project.ingest import load_release as loading
from dagster_project.ingest import release_files as private
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.release_files import private_files, scratch_folder
from tests.security.hostile import CSV, release_in, source_of, workbench

GOOD = b"code,name\nA,good\n"
EVIL = b"code,name\nA,evil\n"


def swap(path: Path, content: bytes) -> None:
    """Replace a file by one of the same size and time."""
    stat = path.stat()
    other = path.with_name(".other")
    other.write_bytes(content)
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)


def overwrite(path: Path, content: bytes) -> None:
    """Write over a file in place, and set its time back."""
    stat = path.stat()
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("exchange", [swap, overwrite])
@pytest.mark.parametrize("copied_bytes", [1 << 20, 0], ids=["copied", "read in place"])
def test_a_file_exchanged_between_hash_and_read_is_harmless_or_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    exchange: Callable[[Path, bytes], None],
    copied_bytes: int,
) -> None:
    monkeypatch.setattr(private, "COPIED_BYTES", copied_bytes)
    release = release_in(tmp_path / "files", {"a.csv": GOOD})
    read_release = loading.read_release

    def exchange_first(*arguments: Any) -> Any:
        for file in arguments[3]:
            file.digest.result()
        time.sleep(0.01)
        exchange(release.files[0], EVIL)
        return read_release(*arguments)

    monkeypatch.setattr(loading, "read_release", exchange_first)
    with workbench() as con:
        if copied_bytes:
            load_release(con, source_of(CSV), release)
        else:  # the read bytes may be others than the hashed ones
            with pytest.raises(TryLater, match="still being written"):
                load_release(con, source_of(CSV), release)
        digests = con.execute("select sha256 from audit.releases").fetchall()
        rows = con.execute("select name from raw.made_up__things").fetchall()
    good = hashlib.sha256(GOOD).hexdigest()
    assert (digests, rows) == (([(good,)], [("good",)]) if copied_bytes else ([], []))


def test_a_link_put_in_place_of_a_listed_file_is_not_followed(tmp_path: Path) -> None:
    release = release_in(tmp_path / "files", {"a.csv": GOOD})
    secret = tmp_path / "secret"
    secret.write_text("a secret line\n")
    release.files[0].unlink()
    release.files[0].symlink_to(secret)
    with workbench() as con:
        with pytest.raises(BadInput, match="not a regular file") as caught:
            load_release(con, source_of(CSV), release)
        assert "secret line" not in str(caught.value)
        assert con.execute("select count(*) from audit.releases").fetchall() == [(0,)]


def test_a_link_put_in_place_of_a_listed_folder_is_not_followed(tmp_path: Path) -> None:
    release = release_in(tmp_path / "files", {"a.csv": GOOD})
    release_in(tmp_path / "elsewhere", {"a.csv": EVIL})
    (tmp_path / "files").rename(tmp_path / "away")
    (tmp_path / "files").symlink_to(tmp_path / "elsewhere")
    with workbench() as con, pytest.raises(BadInput, match="not a regular file"):
        load_release(con, source_of(CSV), release)


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket"])
def test_nothing_but_a_file_is_opened(tmp_path: Path, kind: str) -> None:
    import socket

    release = release_in(tmp_path, {"a.csv": GOOD})
    path = release.files[0]
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        socket.socket(socket.AF_UNIX).bind(os.path.relpath(path))
    with workbench() as con, pytest.raises(BadInput, match="not a regular file"):
        load_release(con, source_of(CSV), release)


def test_a_file_that_is_gone_is_tried_later(tmp_path: Path) -> None:
    release = release_in(tmp_path, {"a.csv": GOOD})
    release.files[0].unlink()
    with workbench() as con, pytest.raises(TryLater, match="no longer there"):
        load_release(con, source_of(CSV), release)


def test_an_accepted_release_is_hashed_without_following_links(tmp_path: Path) -> None:
    release = release_in(tmp_path, {"a.csv": GOOD})
    with workbench() as con:
        load_release(con, source_of(CSV), release)
        con.execute("update audit.releases set status = 'accepted'")
        assert load_release(con, source_of(CSV), release).unchanged
        release.files[0].rename(tmp_path / "b")
        release.files[0].symlink_to("b")
        with pytest.raises(BadInput, match="not a regular file"):
            load_release(con, source_of(CSV), release)


def test_the_copies_are_the_owners_alone(tmp_path: Path) -> None:
    release = release_in(tmp_path / "files", {"a.csv": GOOD})
    home = tmp_path / "incoming"
    with (
        scratch_folder(home) as folder,
        private_files(release.files, folder / "files") as files,
    ):
        assert files[0].path.read_bytes() == GOOD
        for each in (home, folder, folder / "files"):
            assert each.stat().st_mode & 0o777 == 0o700
    assert not home.exists()


def test_a_large_file_is_copied_where_it_cannot_be_linked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(private, "COPIED_BYTES", 0)
    monkeypatch.setattr(os, "symlink", fail)
    release = release_in(tmp_path / "files", {"a.csv": GOOD})
    with private_files(release.files, tmp_path / "copies") as files:
        assert files[0].path.read_bytes() == GOOD
        assert files[0].digest.result() == hashlib.sha256(GOOD).hexdigest()
        assert not files[0].path.is_symlink()


def test_a_file_that_grows_while_it_is_copied_is_tried_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = release_in(tmp_path, {"a.csv": GOOD})
    copy = private._copy

    def grow(*arguments: Any) -> str:
        digest = copy(*arguments)
        time.sleep(0.01)
        with release.files[0].open("ab") as file:
            file.write(b"A,more\n")
        return digest

    monkeypatch.setattr(private, "_copy", grow)
    with workbench() as con, pytest.raises(TryLater, match="still being written"):
        load_release(con, source_of(CSV), release)
