"""The main job, `make run`: load and gate new releases, then build and publish, in this process.

The runs are Dagster runs of the project's own instance, so that the UI shows them. Dagster, dbt and
Great Expectations are imported only if there is something to do.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from dagster_project.alerts.message import Alert
from dagster_project.base.child import Child
from dagster_project.base.errors import BadInput, printable
from dagster_project.base.logs import say
from dagster_project.base.machine_errors import machine_error_behind
from dagster_project.base.native_crash import recorded_crash
from dagster_project.base.settings import Settings
from dagster_project.gates.explain import explain
from dagster_project.ingest.pending_releases import Plan, ignored_note, make_plan
from dagster_project.pipeline.dagster_runs import Dagster, failure_of, machine_error_of
from dagster_project.publication.eligibility import content_blockers, publication_blockers
from dagster_project.publication.kept_files import publication_id
from dagster_project.publication.publish import reconcile
from dagster_project.publication.upload import is_uploaded
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release
from dagster_project.transform.build_fingerprint import build_fingerprint
from dagster_project.workbench.connection import open_workbench, write_lock
from dagster_project.workbench.gate_results import last_gate_results
from dagster_project.workbench.ledger_schema import ledger_time
from dagster_project.workbench.publications import last_publication
from dagster_project.workbench.releases import accepted_files

if TYPE_CHECKING:
    from dagster import DagsterInstance, ExecuteInProcessResult

PUBLISHED, FAILED, PUBLISHED_WITH_REJECTIONS = 0, 1, 2

_FULL_REFRESH = {
    f"build_{layer}": {"config": {"full_refresh": True}} for layer in ("staging", "intermediate")
}


def run(
    settings: Settings, reload: Iterable[str] = (), instance: "DagsterInstance | None" = None
) -> int:
    """Bring the warehouse up to date with the landing folder.

    Returns 0 on success; 1 if the build failed (the live publication stays); 2 on success except
    for releases that were refused or rejected in this run, or an upload that failed. Raises
    BadInput if another run is writing.
    """
    failures: list[Alert] = []
    try:
        with closing(Dagster(settings, instance)) as dagster:
            return _run(settings, frozenset(reload), dagster, failures)
    except Exception as error:
        known = error if isinstance(error, BadInput) else machine_error_behind(error)
        why = str(known) if known else f"{type(error).__name__}: {error}"
        failures.append(Alert("FAILED make run", why))
        raise
    finally:
        if failures:
            # With cron there may be no daemon, and so no sensor, which ignores these runs.
            from dagster_project.alerts.delivery import send_alert

            send_alert(settings, failures)


def _run(
    settings: Settings,
    reload: frozenset[str],
    dagster: Dagster,
    failures: list[Alert],
) -> int:
    """Load, build and publish; append problems to `failures`."""
    with write_lock(settings):
        reconcile(settings)
        failures += after_crash(settings)
        with open_workbench(settings) as con:
            plan = make_plan(
                con,
                settings.landing_dir,
                reload,
                settings.bundled_dir,
                limits=settings.release_limits,
            )
        announce(settings, plan)
        failures += [Alert("REFUSED by make run", str(problem)) for problem in plan.problems]
        if plan.new:
            for failed in ingest(settings, plan, dagster):
                failures.append(failed)  # at once: a later release may raise
        built = _is_up_to_date(settings) or build(settings, dagster, failures)
        upload(settings, dagster, failures)
        if not built:
            return FAILED
        return PUBLISHED_WITH_REJECTIONS if failures else PUBLISHED


def after_crash(settings: Settings) -> list[Alert]:
    """Set the releases aside with which native code has ended the last run, if it did."""
    if recorded_crash(settings.crash_record) is None:
        return []
    from dagster_project.defs.after_crash import reject_after_crash

    say("native code has ended the last run: looking for the release at fault", "WARNING")
    found = reject_after_crash(settings)
    if found.warning:
        say(f"  {found.warning}", "WARNING")
    for alert in found.alerts:
        about = {"source": alert.source or "", "release": alert.release or ""}
        say(f"  {alert.what}: {alert.why}", "ERROR", **about)
    return found.alerts


def _about(release: Release) -> dict[str, str]:
    return {"source": release.source, "release": str(release.date)}


def announce(settings: Settings, plan: Plan) -> None:
    """Print which releases a run will load, and which not."""
    say(f"landing folder {settings.landing_dir}: {len(plan.new)} new releases")
    for name in sorted(plan.replaced):
        say(f"  will be loaded again, replacing its earlier load: {name}")
    for release in plan.new:
        if release.ignored:
            say(f"  {printable(ignored_note(release))}", **_about(release))
    for folder in plan.folders_without_source:
        say(f"  no source module yet: {printable(folder)}")
    for release, reason in plan.still_rejected:
        say(f"  still rejected: {release.label}: {reason}", "WARNING", **_about(release))
    for problem in plan.problems:
        say(f"  REFUSED {problem}", "ERROR")


def publish_again(settings: Settings, instance: "DagsterInstance | None" = None) -> int:
    """Build everything from the current releases and publish, even if nothing is new.

    Returns as `run` does. Raises BadInput if another run is writing.
    """
    failures: list[Alert] = []
    with write_lock(settings), closing(Dagster(settings, instance)) as dagster:
        reconcile(settings)
        failures += after_crash(settings)
        built = build(settings, dagster, failures, full_refresh=True)
        upload(settings, dagster, failures)
        if not built:
            return FAILED
    return PUBLISHED_WITH_REJECTIONS if failures else PUBLISHED


def ingest(settings: Settings, plan: Plan, dagster: Dagster) -> Iterator[Alert]:
    """Load and gate the new releases, one run each, all read by one process. Yields each failure.

    Raises BadInput for an error of the machine.
    """
    with open_workbench(settings) as con:
        began = ledger_time(con)
    with Child() as reader:
        for release in plan.new:
            config = {"reload": True} if release.name in plan.replaced else {}
            result = dagster.execute(
                settings,
                f"ingest_{release.source}",
                partition=(release.source, str(release.date)),
                run_config={"ops": {f"load_{release.source}": {"config": config}}},
                reader=reader,
            )
            failure = _report_load(settings, release, result, began)
            if failure:
                yield failure


def _report_load(
    settings: Settings, release: Release, result: "ExecuteInProcessResult", began: datetime
) -> Alert | None:
    """Print the outcome of a release's run, by the ledger. Returns the failure, if any."""
    with open_workbench(settings) as con:
        files = con.execute(
            "select status, string_agg(distinct reason, '; '), sum(rows_read),"
            " sum(rows_kept), loaded_at from audit.releases"
            " where source = ? and release_date = ? group by all order by loaded_at",
            [release.source, release.date],
        ).fetchall()
        tables = [f"raw.{table.name}" for table in all_sources()[release.source].tables]
        gate_results = last_gate_results(con, tables, release.date)
    status, reason, rows_read, rows_kept, loaded_at = (
        files[-1] if files else ("failed", None, 0, 0, began)
    )
    about = {**_about(release), "run_id": result.run_id}
    if result.success:
        notes = f"; {reason}" if reason else ""
        say(
            f"  accepted {release.label}: {rows_kept:,} of {rows_read:,} records kept{notes}",
            **about,
        )
        for warning in explain(gate_results, "warning").splitlines():
            say(f"  warning: {warning}", "WARNING", **about)
        return None
    # An error is not a verdict on the release, whatever the ledger says: the next run retries it.
    if status != "rejected" or loaded_at < began:
        status, reason = "failed", None
    failure = failure_of(result, f"{status.upper()} {release.label}", reason)
    problem = machine_error_of(result, release.label)
    if problem and status != "rejected":
        if not problem.may_be_of_one_release:
            raise problem
        failure = replace(failure, why=str(problem))
    say(f"  {status.upper()} {release.label}: {failure.why}", "ERROR", **about)
    return failure


def _is_up_to_date(settings: Settings) -> bool:
    """Return whether the current releases are the published ones; if so, print that."""
    with open_workbench(settings) as con:
        fingerprint = build_fingerprint(con)
        published = last_publication(con)
    if not (published and published[1] == fingerprint and settings.warehouse.exists()):
        return False
    say(f"nothing new: publication {publication_id(settings)} stays live, {settings.warehouse}")
    return True


def build(
    settings: Settings,
    dagster: Dagster,
    failures: list[Alert],
    *,
    full_refresh: bool = False,
) -> bool:
    """Build and publish, repeatedly if needed, without the releases that caused a failure.

    Each round rejects at least one release. Returns whether the current releases are published, and
    appends rejected releases and failures to `failures`. full_refresh: also build unchanged nodes
    (`transform/changes.py`).
    """
    refresh_once = full_refresh
    while True:
        with open_workbench(settings) as con:
            before = accepted_files(con)
        failure = _build_once(settings, dagster, refresh_once)
        if failure is None:
            return True
        rejected = _rejected_since(settings, before, failure)
        failures += rejected or [failure]
        if not rejected:
            say(f"FAILED, nothing was published: {failure.why}", "ERROR", run_id=failure.run_id)
            return False
        say("building again without the rejected releases")
        if not full_refresh and _is_up_to_date(settings):
            return True
        refresh_once = False


def upload(settings: Settings, dagster: Dagster, failures: list[Alert]) -> None:
    """Put the live publication into object storage, if there is a URL and it is not there yet.

    The publication stays live whatever happens; a failure is appended to `failures`. The next run
    completes the upload, also if it finds nothing new.
    """
    live = publication_id(settings)
    if not settings.publish_url or live is None:
        return
    if is_uploaded(settings):
        say(f"object storage has publication {live}: {settings.publish_url}")
        return
    say(f"upload: publication {live} to {settings.publish_url}")
    result = dagster.execute(settings, "upload")
    if result.success:
        say(f"uploaded {live}: {settings.publish_url}", run_id=result.run_id)
        return
    failure = failure_of(result, f"NOT UPLOADED {live}")
    say(
        f"NOT UPLOADED {live}: it is live here, and the one before stays current at"
        f" {settings.publish_url}; the next run tries again: {failure.why}",
        "ERROR",
        run_id=failure.run_id,
    )
    failures.append(failure)


def _build_once(settings: Settings, dagster: Dagster, full_refresh: bool) -> Alert | None:
    """Build and publish. Returns what failed, or None."""
    left = not full_refresh and _only_publish_remains(settings)
    job = "publish" if left else "build"
    say(
        "publication: the candidate is already built, and every gate has passed"
        if job == "publish"
        else "build: staging, intermediate, core, marts, each with its gate; then publication"
    )
    run_config = {"ops": _FULL_REFRESH} if full_refresh else {}
    result = dagster.execute(settings, job, run_config=run_config)
    if result.success:
        size = settings.warehouse.stat().st_size
        say(
            f"published {publication_id(settings)}: {settings.warehouse} ({size:,} bytes)",
            run_id=result.run_id,
        )
        return None
    failure = failure_of(result, f"FAILED {job}, nothing was published")
    return replace(failure, why=str(machine_error_of(result) or failure.why))


def _rejected_since(settings: Settings, before: list[tuple], failed: Alert) -> list[Alert]:
    """Return an alert for each release that a build has rejected, with the ledger's reason."""
    with open_workbench(settings) as con:
        still = accepted_files(con)
        found = {
            (source, day): reason
            for source, day, name, _, loaded_at in (file for file in before if file not in still)
            for (reason,) in con.execute(
                "select reason from audit.releases where source = ? and release_date = ?"
                " and file_name = ? and loaded_at = ?",
                [source, day, name, loaded_at],
            ).fetchall()
        }
    rejected = []
    for (source, day), reason in found.items():
        what = f"REJECTED {source} {day}"
        about = {"source": source, "release": str(day)}
        say(f"  {what}: {reason}", "ERROR", **about, run_id=failed.run_id)
        rejected.append(replace(failed, what=what, why=reason, **about))
    return rejected


def _only_publish_remains(settings: Settings) -> bool:
    """Whether an earlier run was interrupted, or failed, after the last gate had passed."""
    if not settings.candidate.exists():
        return False
    with open_workbench(settings) as con:
        return not (publication_blockers(settings, con) or content_blockers(settings, con))
