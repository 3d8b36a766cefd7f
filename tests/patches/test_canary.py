"""A patch depends on the code that it changes: when that code changes, its canary here fails.

Then compare the library's new code with the patch, measure again (the README beside the
patches says how), and write down the new version and digest, or delete the patch.
"""

import hashlib
import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from dagster import DagsterInstance
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sql import Config
from great_expectations.expectations.metrics.query_metrics.query_row_count.unexpected_rows_query_row_count import (  # noqa: E501
    UnexpectedRowsQueryRowCount,
)
from great_expectations.expectations.metrics.query_metrics.query_table.unexpected_rows_query_table import (  # noqa: E501
    UnexpectedRowsQueryTable,
)

from dagster_project.base.settings import PATCHES

FILE_CONFIG = inspect.getattr_static(Config, "file_config").fget

# By patch: the package, its version, the code that the patch rests on, and the digest of that code.
CANARIES: dict[str, tuple[str, str, tuple[Callable[..., Any], ...], str]] = {
    "alembic_folder": ("alembic", "1.20.1", (FILE_CONFIG,), "d91dd2d54526ba09"),
    "dagster_event_log": (
        "dagster",
        "1.13.27",
        (
            SqliteEventLogStorage.__init__,
            SqliteEventLogStorage._connect,
            SqliteEventLogStorage._initdb,
            SqliteEventLogStorage.has_table,
            SqliteEventLogStorage.store_event,
        ),
        "79d07e3f19c3165d",
    ),
    "dagster_run_origin": (
        "dagster",
        "1.13.27",
        (DagsterInstance.create_run_for_job,),
        "5ce09dc7e450daa5",
    ),
    "gx_single_scan": (
        "great-expectations",
        "1.24.1",
        (UnexpectedRowsQueryTable, UnexpectedRowsQueryRowCount),
        "991bb9552239ee6b",
    ),
}
ALWAYS_ON = {"alembic_folder"}


def digest(functions: tuple[Callable[..., Any], ...]) -> str:
    source = "".join(inspect.getsource(function) for function in functions)
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def test_every_patch_has_a_canary() -> None:
    assert set(CANARIES) - ALWAYS_ON == set(PATCHES)


@pytest.mark.parametrize("patch", CANARIES)
def test_the_library_has_the_code_that_the_patch_was_written_for(patch: str) -> None:
    package, pinned, functions, expected = CANARIES[patch]
    assert (version(package), digest(functions)) == (pinned, expected), f"see {__doc__}"
