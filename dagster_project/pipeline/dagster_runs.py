"""Dagster runs in this process, in the instance that the UI shows.

Dagster takes seconds to import, so functions import it when called.
"""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dagster_project.alerts.message import Alert
from dagster_project.base.child import Child
from dagster_project.base.dagster_home import BY_MAKE_RUN, dagster_home
from dagster_project.base.machine_errors import MachineError
from dagster_project.base.run_tags import MAX_RETRIES
from dagster_project.base.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance, Definitions, ExecuteInProcessResult

_NO_RETRIES = {MAX_RETRIES: "0"}  # no run retries: a person started it

_NO_COMPUTE_LOGS = """compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


class Dagster:
    """The definitions and the instance, created for the first job."""

    def __init__(self, settings: Settings, instance: "DagsterInstance | None" = None) -> None:
        self._settings, self._given = settings, instance

    @cached_property
    def definitions(self) -> "Definitions":
        """The definitions, with this run's settings."""
        from dagster_project.definitions import definitions

        return definitions(self._settings)

    @cached_property
    def instance(self) -> "DagsterInstance":
        """The given instance, or else the project's own. Steps print nothing, their messages are
        events: so no processes are started to capture output.
        """
        from dagster import DagsterInstance

        if self._given:
            return self._given
        home = dagster_home()
        lines = [(home / "dagster.yaml").read_text("utf-8"), _NO_COMPUTE_LOGS]
        in_files = not self._settings.dagster_postgres_url
        if in_files and self._settings.is_patched("dagster_event_log"):
            from dagster_project.patches.dagster_event_log import open_event_log

            lines.append(f"event_log_storage: {json.dumps(open_event_log(home))}")
        config = home / "make_run.yaml"
        config.write_text("\n".join(lines), "utf-8")
        return DagsterInstance.from_config(str(home), config.name)

    def execute(
        self,
        settings: Settings,
        job: str,
        *,
        partition: tuple[str, str] | None = None,
        run_config: Mapping[str, Any] | None = None,
        reader: Child | None = None,
    ) -> "ExecuteInProcessResult":
        """Run a job in this process, and return its result, also of a failure.

        settings: with the warehouse to write to, which a rebuild replaces. partition: its
        definition and key. reader: the process that reads releases.
        """
        from dagster_project.defs.resources import resources

        fail_orphaned_runs(self.instance, BY_MAKE_RUN)
        if partition:
            self.instance.add_dynamic_partitions(partition[0], [partition[1]])
        with runs_shown_in_ui(settings, self.instance, job):
            return self.definitions.resolve_job_def(job).execute_in_process(
                run_config={
                    **(run_config or {}),
                    "loggers": {"console": {"config": {"log_level": _log_level(settings)}}},
                },
                instance=self.instance,
                partition_key=partition[1] if partition else None,
                raise_on_error=False,
                resources=resources(settings, reader),
                tags=BY_MAKE_RUN | _NO_RETRIES,
            )

    def close(self) -> None:
        """Close the project's own instance; the caller closes a given one."""
        if not self._given and "instance" in vars(self):
            self.instance.dispose()


def runs_shown_in_ui(
    settings: Settings, instance: "DagsterInstance", job: str
) -> AbstractContextManager[None]:
    """Give the runs created in the block what the UI's timeline needs, if that patch is on."""
    if not settings.is_patched("dagster_run_origin"):
        return nullcontext()
    from dagster_project.patches.dagster_run_origin import runs_with_origin

    return runs_with_origin(instance, job)


def _log_level(settings: Settings) -> str:
    """Return Dagster's log level: its own messages go only to a log store, not to people."""
    return "INFO" if settings.log_format == "json" else "CRITICAL"


def fail_orphaned_runs(instance: "DagsterInstance", tags: Mapping[str, str] | None = None) -> None:
    """Mark runs as failed whose process was killed.

    The caller holds the write lock, so runs with these tags cannot be alive. They would hold the
    pool, and block every run from the UI, forever.
    """
    from dagster import DagsterRunStatus, RunsFilter

    unfinished = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    for left in instance.get_runs(RunsFilter(statuses=unfinished, tags=tags)):
        instance.report_run_failed(left, "The process of this run has died.")


def machine_error_of(
    result: "ExecuteInProcessResult", where: str = "named under `found`"
) -> MachineError | None:
    """Return the error of the machine that failed a run's step, if one did."""
    from dagster_project.alerts import run_failure

    return run_failure.machine_error_of(result.all_events, where)


def failure_of(result: "ExecuteInProcessResult", what: str, reason: str | None = None) -> Alert:
    """Return the alert about a failed run. what: its headline. reason: the ledger's, if any."""
    from dagster_project.alerts.run_failure import alert_of

    failure = alert_of(result.dagster_run, result.all_events)
    return replace(failure, what=what, why=reason or failure.why)
