"""What an operator starts from the UI that is not an asset: decide, roll back, prune.

Each is one step over the function that the command line calls too. `build`, which publishes again
from what is in force, is among the asset jobs.
"""

from enum import Enum
from functools import partial

import dagster as dg
from pydantic import Field

from dagster_project.base.settings import Settings
from dagster_project.defs.resources import WRITING_POOL, Workbench, report_bad_input
from dagster_project.defs.run_history import old_runs
from dagster_project.ingest.manual_decisions import DECISIONS
from dagster_project.maintenance.prune import prune
from dagster_project.publication.rollback import roll_back


class Decision(Enum):
    """What is decided on a release."""

    reject = "reject"
    accept = "accept"
    forget = "forget"


class DecideConfig(dg.Config):
    """A decision on a release, and why."""

    decision: Decision = Field(description="reject, accept, or forget (delete its rows).")
    release: str = Field(description="<source>/<date>, as `make status` lists them.")
    reason: str = Field(description="Why; the ledger keeps it.")


class RollbackConfig(dg.Config):
    """Which publication, and why."""

    to: str | None = Field(default=None, description="A kept publication; else the one before.")
    reason: str = Field(description="Why; the ledger keeps it.")


class PruneConfig(dg.Config):
    """Whether anything is removed."""

    dry_run: bool = Field(default=True, description="Only say what would go.")


@dg.op(pool=WRITING_POOL)
def decide_on_release(
    context: dg.OpExecutionContext, config: DecideConfig, workbench: Workbench
) -> None:
    """Reject, accept or forget a release."""
    decide = DECISIONS[config.decision.value]
    with report_bad_input(), workbench.get_connection() as con:
        decide(con, config.release, config.reason)
    context.log.info(f"{config.release}: done. The job `build` publishes accordingly")


@dg.op(pool=WRITING_POOL)
def activate_publication(
    context: dg.OpExecutionContext, config: RollbackConfig, workbench: Workbench
) -> None:
    """Put a kept publication in force."""
    with report_bad_input():
        chosen = roll_back(Settings(), config.to, config.reason)
    context.log.info(f"publication {chosen} is in force")


@dg.op(pool=WRITING_POOL)
def remove_leftovers(
    context: dg.OpExecutionContext, config: PruneConfig, workbench: Workbench
) -> None:
    """Remove what no longer counts, or say what would go."""
    for what in prune(Settings(), partial(old_runs, context.instance), dry_run=config.dry_run):
        context.log.info(f"{'would remove' if config.dry_run else 'removed'} {what}")


@dg.job(executor_def=dg.in_process_executor)
def decide() -> None:
    """Reject, accept or forget a release by hand. Run `build` afterwards to publish accordingly."""
    decide_on_release()


@dg.job(executor_def=dg.in_process_executor)
def rollback() -> None:
    """Put an earlier publication in force, at once. It stays until something new is published."""
    activate_publication()


@dg.job(name="prune", executor_def=dg.in_process_executor)
def prune_job() -> None:
    """Remove old runs, old ledger entries, rows of rejected releases and old publications."""
    remove_leftovers()


operator_jobs = [decide, rollback, prune_job]
