"""Uploads the live publication in a process of its own, which dies at a point on the way.

Processes start from Python's fork server, which has imported everything and has no threads:
obstore's would not survive a fork, and a new interpreter takes a second.
"""

import multiprocessing
import os
from multiprocessing.process import BaseProcess

from dagster_project.base.settings import Settings
from dagster_project.publication.upload import upload
from dagster_project.workbench.connection import write_lock
from tests.survival.crash_points import Point

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([__name__])


def start(point: Point | None = None) -> BaseProcess:
    """Start an upload with this process's environment."""
    process = _server.Process(target=_upload, args=(dict(os.environ), point))
    process.start()
    return process


def _upload(environment: dict[str, str], point: Point | None) -> None:
    os.environ.update(environment)
    if point:
        point.watch()
    settings = Settings()
    with write_lock(settings):
        upload(settings)
