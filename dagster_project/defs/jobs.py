"""The jobs: those that materialize assets, and those that an operator starts from the UI.

`fetch` brings the publishers' current releases into the landing folder; `ingest_<source>` loads and
gates one release (a partition); `build` goes from the accepted releases to the publication
(`publish`: only the last step, after an interruption); `write_report` writes the report. The
operator's jobs have one step each, which calls the same function as the command line.
"""

from enum import Enum
from functools import partial

import dagster as dg
from pydantic import Field

from dagster_project.base.errors import printable
from dagster_project.base.run_tags import RETRY_STRATEGY
from dagster_project.defs.fetch import GROUP as FETCH
from dagster_project.defs.raw import raw_key
from dagster_project.defs.report import report
from dagster_project.defs.resources import WRITING_POOL, Workbench, report_bad_input
from dagster_project.defs.run_history import old_runs
from dagster_project.defs.upload import GROUP as UPLOAD
from dagster_project.ingest.manual_decisions import DECISIONS
from dagster_project.maintenance.prune import prune
from dagster_project.publication.rollback import roll_back
from dagster_project.sources import all_sources

# A run whose process has died is started again (dagster.yaml) from its beginning: nothing is built
# on half-made tables.
_FROM_THE_START = {RETRY_STRATEGY: "ALL_STEPS"}

fetch_job = dg.define_asset_job(
    "fetch",
    selection=dg.AssetSelection.groups(FETCH),
    description="Download every source's current release. A failed source does not stop others.",
)

ingest_jobs = [
    dg.define_asset_job(
        f"ingest_{source.name}",
        selection=dg.AssetSelection.assets(*(raw_key(table) for table in source.tables)),
        description=f"Load and gate one release of {source.name}; a backfill takes several.",
        tags=_FROM_THE_START,
    )
    for source in all_sources().values()
]

build_job = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.groups("raw", FETCH, UPLOAD)
    - dg.AssetSelection.assets(report),
    description="Build, gate and publish the warehouse from the accepted releases.",
    tags=_FROM_THE_START,
)

publish_job = dg.define_asset_job(
    "publish",
    selection=dg.AssetSelection.assets("publication"),
    description="Publish the candidate if all its gates have passed; refuse it otherwise.",
)

# Not part of `make run`: it takes 5 to 10 seconds, longer the first time, when the charts'
# JavaScript is bundled, and a publication need not wait for its report.
report_job = dg.define_asset_job(
    "write_report",
    selection=dg.AssetSelection.assets(report),
    description="Write the report on the live publication, a static site.",
)

asset_jobs = [fetch_job, *ingest_jobs, build_job, publish_job, report_job]


class Decision(Enum):
    """The kinds of decisions on a release."""

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

    to: str | None = Field(default=None, description="A kept publication, or the previous one.")
    reason: str = Field(description="Why; the ledger keeps it.")


class PruneConfig(dg.Config):
    """Whether anything is removed."""

    dry_run: bool = Field(default=True, description="Only list what would be removed.")


@dg.op(pool=WRITING_POOL)
def decide_on_release(
    context: dg.OpExecutionContext, config: DecideConfig, workbench: Workbench
) -> None:
    """Reject, accept or forget a release."""
    decide = DECISIONS[config.decision.value]
    with report_bad_input(), workbench.get_connection() as con:
        decide(con, config.release, config.reason)
    context.log.info(
        f"{printable(config.release)}: done. Run the job `build` to publish accordingly"
    )


@dg.op(pool=WRITING_POOL)
def activate_publication(
    context: dg.OpExecutionContext, config: RollbackConfig, workbench: Workbench
) -> None:
    """Make a kept publication the live one; the sensor `upload` puts it into object storage."""
    with report_bad_input():
        chosen = roll_back(workbench.settings, config.to, config.reason)
    context.log.info(f"publication {chosen} is live")


@dg.op(pool=WRITING_POOL)
def remove_leftovers(
    context: dg.OpExecutionContext, config: PruneConfig, workbench: Workbench
) -> None:
    """Remove leftovers, or list them."""
    for what in prune(
        workbench.settings, partial(old_runs, context.instance), dry_run=config.dry_run
    ):
        context.log.info(f"{'would remove' if config.dry_run else 'removed'} {what}")


@dg.job(executor_def=dg.in_process_executor)
def decide() -> None:
    """Reject, accept or forget a release. Run `build` afterwards to publish accordingly."""
    decide_on_release()


@dg.job(executor_def=dg.in_process_executor)
def rollback() -> None:
    """Make an earlier publication live at once. It stays live until the next publication."""
    activate_publication()


@dg.job(name="prune", executor_def=dg.in_process_executor)
def prune_job() -> None:
    """Remove old runs, old ledger entries, rows of rejected releases and old publications."""
    remove_leftovers()


operator_jobs = [decide, rollback, prune_job]
