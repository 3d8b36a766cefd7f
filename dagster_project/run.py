"""The main job, `make run`: load and gate what is new, then build and publish, in this process.

The runs are Dagster runs of the project's own instance, so that the UI shows them. Dagster, dbt and
Great Expectations are imported only if there is something to do.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.ingest.plan import Plan, make_plan
from dagster_project.machine import machine_trouble
from dagster_project.models.state import build_fingerprint
from dagster_project.publication.publish import publication_id, reasons_against, reconcile
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.sources.source import Release
from dagster_project.workbench import open_workbench, write_lock

if TYPE_CHECKING:
    from dagster import DagsterInstance, ExecuteInProcessResult

PUBLISHED, FAILED, PUBLISHED_WITH_REJECTIONS = 0, 1, 2

_BY_MAKE_RUN = {"royalty_flows/launched_by": "make run"}


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def run(
    settings: Settings, reload: Iterable[str] = (), instance: "DagsterInstance | None" = None
) -> int:
    """Bring the warehouse up to date with the landing folder.

    Returns 0 if it is; 1 if the build failed (what was published stays); 2 if it is but for
    releases that were refused or rejected in this run. Raises BadInput if another run is writing.
    """
    with write_lock(settings):
        reconcile(settings)
        with open_workbench(settings) as con:
            plan = make_plan(con, settings.landing_dir, frozenset(reload))
        _announce(settings, plan)
        refused = len(plan.problems)
        if plan.new:
            refused += _ingest(settings, plan.new, frozenset(reload), instance)
        with open_workbench(settings) as con:
            fingerprint = build_fingerprint(con)
            last = con.execute(
                "select publication_id, fingerprint from audit.publication"
                " order by published_at desc limit 1"
            ).fetchone()
        if last and last[1] == fingerprint and settings.warehouse.exists():
            say(
                f"nothing new: publication {publication_id(settings)} stays in force,"
                f" {settings.warehouse}"
            )
        elif not _build(settings, instance):
            return FAILED
        return PUBLISHED_WITH_REJECTIONS if refused else PUBLISHED


def dagster_home() -> Path:
    """Return the folder of the project's Dagster instance, with its settings in place."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(PROJECT_ROOT / ".dagster")))
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home / "dagster.yaml")
    return home


def _announce(settings: Settings, plan: Plan) -> None:
    say(f"landing folder {settings.landing_dir}: {len(plan.new)} new releases")
    for folder in plan.folders_without_source:
        say(f"  no source module yet: {folder}")
    for release, reason in plan.still_rejected:
        say(f"  still rejected: {release.label}: {reason}")
    for problem in plan.problems:
        say(f"  REFUSED {problem}")


def _ingest(
    settings: Settings,
    releases: list[Release],
    reload: frozenset[str],
    instance: "DagsterInstance | None",
) -> int:
    """Load and gate releases, each in a run of its own. Returns how many were rejected.

    Raises BadInput where it is the machine that fails.
    """
    rejected = 0
    for release in releases:
        name = f"{release.source}/{release.date}"
        config = {"reload": True} if name in reload else {}
        result = _execute(
            settings,
            f"ingest_{release.source}",
            instance,
            partition=(release.source, str(release.date)),
            run_config={"ops": {f"load_{release.source}": {"config": config}}},
        )
        with open_workbench(settings) as con:
            files = con.execute(
                "select status, reason, sum(rows_read), sum(rows_kept) from audit.releases"
                " where source = ? and release_date = ? group by all order by max(loaded_at)",
                [release.source, release.date],
            ).fetchall()
        status, reason, rows_read, rows_kept = files[-1] if files else ("failed", None, 0, 0)
        if status != "rejected":  # an error, which says nothing of the release; it is tried again
            status, reason = "failed", None
        if result.success:
            say(f"  accepted {release.label}: {rows_kept:,} of {rows_read:,} records kept")
        else:
            rejected += 1
            reason = reason or _first_failure(result)
            problem = machine_trouble(reason, release.label)
            if problem and status != "rejected":
                raise problem
            say(f"  {status.upper()} {release.label}: {reason}")
    return rejected


def _build(settings: Settings, instance: "DagsterInstance | None") -> bool:
    job = "publish" if _only_publication_is_left(settings) else "build"
    say(
        "publication: this candidate was built before, and every gate has passed"
        if job == "publish"
        else "build: staging, intermediate, core, marts, each with its gate; then publication"
    )
    result = _execute(settings, job, instance)
    if result.success:
        with_size = settings.warehouse.stat().st_size
        say(f"published {publication_id(settings)}: {settings.warehouse} ({with_size:,} bytes)")
        return True
    reason = _first_failure(result)
    say(f"FAILED, nothing was published: {machine_trouble(reason) or reason}")
    return False


def _only_publication_is_left(settings: Settings) -> bool:
    """Whether an earlier run was broken off, or failed, after the last gate had passed."""
    from dagster_project.publication.asset import required_gates

    if not settings.candidate.exists():
        return False
    with open_workbench(settings) as con:
        return not reasons_against(settings, con, required_gates())


def _execute(
    settings: Settings,
    job: str,
    instance: "DagsterInstance | None",
    *,
    partition: tuple[str, str] | None = None,
    run_config: Mapping[str, Any] | None = None,
) -> "ExecuteInProcessResult":
    from dagster import DagsterInstance

    from dagster_project.definitions import defs
    from dagster_project.resources import Workbench

    if instance is None:
        dagster_home()
        instance = DagsterInstance.get()
    close_runs_of_the_dead(instance, _BY_MAKE_RUN)
    if partition:
        instance.add_dynamic_partitions(partition[0], [partition[1]])
    return defs.resolve_job_def(job).execute_in_process(
        run_config={
            **(run_config or {}),
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
        instance=instance,
        partition_key=partition[1] if partition else None,
        raise_on_error=False,
        resources={"workbench": Workbench.of(settings)},
        tags=_BY_MAKE_RUN,
    )


def close_runs_of_the_dead(
    instance: "DagsterInstance", tags: Mapping[str, str] | None = None
) -> None:
    """Mark runs as failed that were left behind when their process was killed.

    The caller holds the write lock and knows that those with these tags cannot be alive. They would
    hold the pool, and with it every run from the UI, for ever.
    """
    from dagster import DagsterRunStatus, RunsFilter

    unfinished = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    for left in instance.get_runs(RunsFilter(statuses=unfinished, tags=tags)):
        instance.report_run_failed(left, "The process of this run has died.")


def _first_failure(result: "ExecuteInProcessResult") -> str:
    """Say what made a run fail: the gate that failed, or the words of the step that did."""
    from dagster import AssetCheckSeverity

    checks = [
        check.description
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity == AssetCheckSeverity.ERROR and check.description
    ]
    if checks:
        return "\n".join(checks)
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return data.user_failure_data.description
            error = data.error
            while error and error.cause:
                error = error.cause
            return error.message.strip() if error else event.message or ""
    return "see the run in the Dagster UI"
