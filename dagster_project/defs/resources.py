"""Resources of the steps that write: the workbench, its pool, the reader, and error reporting."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import duckdb
from dagster import Failure, InitResourceContext, ResourceDependency, resource
from dagster_duckdb import DuckDBResource

from dagster_project.base.child import Child
from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.native_crash import Doing, crash_recorded
from dagster_project.base.private_files import make_private
from dagster_project.base.settings import Settings
from dagster_project.workbench.connection import refuse_if_lost, write_lock
from dagster_project.workbench.ledger_schema import create_ledger

# A run from the UI waits for a run from the command line, which the run queue does not see. A run
# from the command line fails at once instead.
LOCK_TIMEOUT_SECONDS = 3600


WRITING_POOL = "warehouse"  # limit 1, granularity run: see dagster.yaml


@contextmanager
def report_bad_input() -> Iterator[None]:
    """Turn bad input into a step failure with its parts as metadata; outages are retried."""
    try:
        yield
    except BadInput as problem:
        raise Failure(
            str(problem), metadata=vars(problem), allow_retries=isinstance(problem, TryLater)
        ) from problem


class Workbench(DuckDBResource):
    """The workbench database. A run with this resource holds the write lock."""

    settings: ResourceDependency[Settings]

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator["Workbench"]:
        """Hold the write lock for the duration of the run."""
        with write_lock(self.settings, timeout=LOCK_TIMEOUT_SECONDS):
            yield self

    def crash_recorded(
        self, what: str, source: str = "", release: str = ""
    ) -> AbstractContextManager[None]:
        """Record what the block does, in case native code ends the process in it."""
        return crash_recorded(self.settings.crash_record, Doing(what, source, release))

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the workbench, and close it on errors too, which the base class does not do.

        Raises BadInput if it is lost.
        """
        refuse_if_lost(Path(self.database))
        with super().get_connection() as con:
            try:
                make_private(Path(self.database))
                create_ledger(con)
                yield con
            finally:
                con.close()


@resource
def reader_of_run(_: InitResourceContext) -> Iterator[Child]:
    """The process that reads the releases of a run, and ends with it."""
    with Child() as child:
        yield child


def resources(
    settings: Settings, reader: Child | None = None, kind: type[Workbench] = Workbench
) -> dict[str, Any]:
    """Return the resources of every asset, check, job and sensor.

    They pass the settings, which the entry point has read, to the functions that Dagster calls.

    reader: reads the releases of several runs; without it, each run has its own. kind: the class of
    the workbench.
    """
    workbench = kind(
        database=str(settings.workbench),
        connection_config=settings.duckdb_config,
        settings=settings,
    )
    return {"settings": settings, "workbench": workbench, "reader": reader or reader_of_run}
