"""An upload that is killed at any point leaves the last publication current, and whole."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.publication.kept_files import publication_id
from dagster_project.publication.upload import upload, upload_errors
from tests.publication.s3_server import S3Server
from tests.publication.test_upload import publish_next
from tests.support import Warehouse

pytestmark = pytest.mark.slow

MODULE = "dagster_project.publication.upload"
KILLS_AT_RANDOM = 12


def start(*point: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.survival.upload_once", *point],
        cwd=PROJECT_ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed(*point: str) -> None:
    """Upload until the process dies at the point; it must get there."""
    with start(*point) as process:
        _, error = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, error


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
    for number, name in enumerate(names):
        path = f"{second}/{name}'"  # the end of the path, as the object shows it
        killed(f"{MODULE}:_put", "entering", path)
        assert current_and_whole(s3) == first
        assert len(s3.names(f"publications/{second}/")) == number
        killed(f"{MODULE}:_put", "leaving", path)
        assert current_and_whole(s3) == first
        assert len(s3.names(f"publications/{second}/")) == number + 1
    killed(f"{MODULE}:_store", "leaving")
    assert current_and_whole(s3) == first
    killed(f"{MODULE}:_prune", "entering")
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
    for side in ("entering", "leaving"):
        killed(f"{MODULE}:_delete", side)
        assert current_and_whole(s3) == third
        assert (first in s3.publications()) == (side == "entering")
    upload(warehouse.settings)
    assert s3.publications() == [second, third]


def test_killed_at_random_times(warehouse: Warehouse, s3: S3Server) -> None:
    upload(warehouse.settings)
    draw = random.Random(23)
    before = time.monotonic()
    publish_next(warehouse)
    with start() as process:
        process.communicate(timeout=300)
    assert process.returncode == 0
    seconds = time.monotonic() - before
    deaths, last = 0, current_and_whole(s3)
    live = publish_next(warehouse)
    while deaths < KILLS_AT_RANDOM:
        with start() as process:
            time.sleep(draw.uniform(0, seconds))
            os.kill(process.pid, signal.SIGKILL)
            process.communicate(timeout=300)
        deaths += process.returncode == -signal.SIGKILL
        assert current_and_whole(s3) in (last, live)
        if process.returncode == 0:
            last = current_and_whole(s3)
            assert last == live
            live = publish_next(warehouse)
    upload(warehouse.settings)
    assert upload_errors(warehouse.settings) == []
    assert s3.current()["publication"] == live
