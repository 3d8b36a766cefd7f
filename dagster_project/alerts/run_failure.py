"""The alert for a failed Dagster run, made from its events."""

import builtins
import re
from collections.abc import Iterable

from dagster import AssetCheckSeverity, DagsterEvent, DagsterEventType, DagsterRun

from dagster_project.alerts.message import Alert
from dagster_project.base.errors import printable_text
from dagster_project.base.machine_errors import MachineError, machine_error_named
from dagster_project.base.run_tags import PARTITION, PARTITION_RANGE
from dagster_project.sources import all_sources

SET_ASIDE = "royalty_flows/set_aside"  # run tag: run id, and the releases that it rejected


def alert_of(run: DagsterRun, events: Iterable[DagsterEvent]) -> Alert:
    """Return the alert for a failed run."""
    events = list(events)
    source, release = _source(run, events), _release(run)
    rejected = bool(_failed_gates(events))
    if names := set_aside_by(run):
        what = f"REJECTED {', '.join(names)} ({run.job_name})"
        if len(names) == 1:
            source, release = names[0].split("/")
    elif source and release:
        what = f"{'REJECTED' if rejected else 'FAILED'} {source} {release} ({run.job_name})"
    else:
        gate = "a gate of " if rejected else ""
        what = f"FAILED {gate}{f'{source} ({run.job_name})' if source else run.job_name}"
    return Alert(what, _why(events), run.job_name, source, release, run.run_id)


def _why(events: list[DagsterEvent]) -> str:
    """Return why a run failed: its failed gates, or the error of the failed step."""
    gates = _failed_gates(events)
    if gates:
        return "\n".join(gates)
    for event in events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return data.user_failure_data.description
            error = data.error
            while error and error.cause:
                error = error.cause
            message = error.message if error else event.message or ""
            return printable_text(message.strip())
    for event in events:
        if event.event_type == DagsterEventType.RUN_FAILURE and event.message:
            return event.message
    return "see the run in the Dagster UI"


def machine_error_of(
    events: Iterable[DagsterEvent], where: str = "named under `found`"
) -> MachineError | None:
    """Return the error of the machine behind a failed step, by the types of its exceptions.

    Dagster keeps an exception's type, its text and its causes. An `OSError` begins its text with
    its number.
    """
    for event in events:
        error = event.step_failure_data.error if event.is_step_failure else None
        while error:
            kind = error.cls_name or ""
            if kind in ("BadInput", "TryLater"):
                break
            text = error.message.strip().removeprefix(f"{kind}: ")
            text = text.partition(f".{kind}: ")[2] or text  # with the module's name
            if kind == "MachineError":
                return MachineError.of_text(text)
            number = re.match(r"\[Errno (\d+)\] ", text) if _is_os_error(kind) else None
            found = machine_error_named(kind, text, int(number[1]) if number else None, where)
            if found:
                return found
            error = error.cause or error.context
    return None


def _is_os_error(kind: str) -> bool:
    found = getattr(builtins, kind, None)
    return isinstance(found, type) and issubclass(found, OSError)


def _failed_gates(events: Iterable[DagsterEvent]) -> list[str]:
    """Return the message of each failed check; dbt tests have none."""
    checks = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    return [
        check.description
        for check in checks
        if not check.passed and check.severity == AssetCheckSeverity.ERROR and check.description
    ]


def _source(run: DagsterRun, events: Iterable[DagsterEvent]) -> str | None:
    """Return the source, from the name of the failed step or else of the job."""
    steps = [event.step_key or "" for event in events if event.is_step_failure]
    for name in (*steps, run.job_name):
        source = name.partition("_")[2]  # fetch_, load_, gate_, ingest_
        if source in all_sources():
            return source
    return None


def _release(run: DagsterRun) -> str | None:
    if PARTITION in run.tags:
        return run.tags[PARTITION]
    first, last = (run.tags.get(tag) for tag in PARTITION_RANGE)
    return f"{first} to {last}" if first != last else first


def set_aside_by(run: DagsterRun) -> list[str]:
    """Return the releases (`<source>/<date>`) that a run rejected; a retry inherits its tags."""
    run_id, _, names = run.tags.get(SET_ASIDE, "").partition(" ")
    return names.split(", ") if run_id == run.run_id else []
