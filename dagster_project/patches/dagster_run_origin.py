"""Runs of `make run` name their code location, so that the UI shows them.

Version: dagster 1.13.27.
Why: `execute_in_process` creates a run without an origin. The timeline ignores such runs, and a
job's page lists them only if a hidden tag names their code location. There is no public argument.
Measured: nothing; this is about what the UI shows, not about speed.
Upstream: https://github.com/dagster-io/dagster/issues/17707 (runs of the command line).
Off: ROYALTY_PATCHES=off. Results are the same, but the timeline and the jobs' pages lack the runs.
Canary: tests/patches/test_dagster_run_origin.py; tests/ui checks the timeline in a browser.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from dagster import DagsterInstance
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

CODE_LOCATION = "royalty_flows"  # `code_location_name` in pyproject.toml


@contextmanager
def runs_with_origin(instance: DagsterInstance, job: str) -> Iterator[None]:
    """Give a job's runs that are created in this block their code location."""
    location = RegisteredCodeLocationOrigin(CODE_LOCATION)
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job)
    create = partial(instance.create_run_for_job, remote_job_origin=origin)
    with patch.object(instance, "create_run_for_job", create):
        yield
