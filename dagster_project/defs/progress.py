"""Progress reports of a run's steps."""

import sys

import dagster as dg

from dagster_project.base.dagster_home import BY_MAKE_RUN
from dagster_project.base.logs import is_json, say
from dagster_project.base.progress import INTERVAL_SECONDS, ProgressReport


def progress_report(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    interval: float = INTERVAL_SECONDS,
) -> ProgressReport:
    """Return the progress report of a step: to the run's log, and for `make run` also to its
    output, as a bar on a terminal and as lines elsewhere. With JSON logs the run's log is on the
    output already.
    """
    if not BY_MAKE_RUN.items() <= context.run.tags.items() or is_json():
        return ProgressReport(context.log.info, interval=interval)
    if sys.stdout.isatty():
        return ProgressReport(context.log.info, bar=True, interval=interval)

    def log_and_say(line: str) -> None:
        context.log.info(line)
        say(f"  {line}")

    return ProgressReport(log_and_say, interval=interval)
