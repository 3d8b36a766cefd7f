"""An upload that is killed at any point leaves the last publication current, and whole."""

import hashlib
import random
import signal
import time

import pytest

from dagster_project.publication.kept_files import publication_id
from dagster_project.publication.upload import upload, upload_errors
from tests.publication.s3_server import S3Server
from tests.publication.test_upload import publish_next
from tests.support import Warehouse
from tests.survival.crash_points import Point
from tests.survival.upload_once import start

pytestmark = pytest.mark.slow

MODULE = "dagster_project.publication.upload"
KILLS_AT_RANDOM = 12


def killed(name: str, *, leaving: bool = False, about: str = "") -> None:
    """Upload until the process dies at the point; it must get there."""
    process = start(Point(f"{MODULE}:{name}", leaving, about))
    process.join(300)
    assert process.exitcode == -signal.SIGKILL, (name, about)


def current_and_whole(s3: S3Server) -> str:
    """The current publication, after each of its objects has been read over HTTP."""
    current = s3.current()
    for file in current["files"]:
        assert hashlib.sha256(s3.get(file["path"])).hexdigest() == file["sha256"], file["path"]
    return str(current["publication"])


def test_an_upload_killed_at_each_step_leaves_the_last_publication_current(
    warehouse: Warehouse, s3: S3Server
) -> None:
    first = publication_id(warehouse.settings)
    upload(warehouse.settings)
    names = [file["path"].rpartition("/")[2] for file in s3.current()["files"]]
    second = publish_next(warehouse)
    before = s3.get("current.json")
    for number, name in enumerate(names):
        path = f"{second}/{name}'"  # the end of the path, as the object shows it
        for leaving in (False, True):
            killed("_put", leaving=leaving, about=path)
            assert s3.get("current.json") == before
            assert len(s3.names(f"publications/{second}/")) == number + leaving
    killed("_store", leaving=True)
    assert current_and_whole(s3) == first
    killed("_prune")
    assert current_and_whole(s3) == second
    assert upload(warehouse.settings).stored == []
    assert upload_errors(warehouse.settings) == []


def test_killed_while_it_deletes_old_publications(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_KEEP_PUBLICATIONS", "1")
    first = publication_id(warehouse.settings)
    upload(warehouse.settings)
    second = publish_next(warehouse)
    upload(warehouse.settings)
    third = publish_next(warehouse)
    for leaving in (False, True):
        killed("_delete", leaving=leaving)
        assert current_and_whole(s3) == third
        assert (first in s3.publications()) == (not leaving)
    upload(warehouse.settings)
    assert s3.publications() == [second, third]


def test_killed_at_random_times(warehouse: Warehouse, s3: S3Server) -> None:
    upload(warehouse.settings)
    draw = random.Random(23)
    publish_next(warehouse)
    before = time.monotonic()
    process = start()
    process.join(300)
    assert process.exitcode == 0
    seconds = time.monotonic() - before
    deaths, last = 0, current_and_whole(s3)
    live = publish_next(warehouse)
    while deaths < KILLS_AT_RANDOM:
        process = start()
        process.join(draw.uniform(0, seconds))
        process.kill()  # which does nothing to one that has ended
        process.join(300)
        deaths += process.exitcode == -signal.SIGKILL
        assert current_and_whole(s3) in (last, live)
        if process.exitcode == 0:
            last = current_and_whole(s3)
            assert last == live
            live = publish_next(warehouse)
    upload(warehouse.settings)
    assert upload_errors(warehouse.settings) == []
    assert s3.current()["publication"] == live
