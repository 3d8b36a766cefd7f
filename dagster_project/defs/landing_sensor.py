"""The sensor `landing`: requests loads of new releases, then one build per batch.

An evaluation compares names, sizes and times in the landing folder with the ledger; it reads no
file that the ledger knows. A release is complete when its marker says so (fetchers write one), or
when it has been unchanged for a minute. Each complete one gets one run; when no run is left, and
the current releases are not the published ones, one build is requested. A failed load or build is
not requested again until its input changes, its run is deleted, or the cursor is reset: temporary
failures have already been retried within the run.

Dagster ignores a request whose run key it knows, without a word. So a key holds what makes the
request new: the content of the folder, the last load of the release and the last decision on it,
and the run before, in case the cursor was reset.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import dagster as dg

from dagster_project.base.clock import system_clock
from dagster_project.base.complete_marker import is_marked_complete
from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.run_tags import PARTITION, RETRY_RUN_ID, RUN_KEY, WILL_RETRY
from dagster_project.base.settings import Settings
from dagster_project.defs.fetch import GROUP as FETCH
from dagster_project.defs.jobs import build_job, ingest_jobs
from dagster_project.defs.landing_cursor import Cursor
from dagster_project.defs.raw import releases_partition
from dagster_project.ingest.pending_releases import Plan, plan_against, release_state
from dagster_project.sources import all_sources
from dagster_project.sources.source import Release
from dagster_project.transform.build_fingerprint import build_fingerprint
from dagster_project.workbench.connection import open_workbench, read_workbench, write_lock
from dagster_project.workbench.decisions import last_decisions
from dagster_project.workbench.publications import last_publication
from dagster_project.workbench.releases import FileEntry, all_file_entries, record_modified

SECONDS = 10  # between evaluations
SETTLED = 60  # seconds; a release that is unchanged for so long is complete
MAX_RUNS = 100  # per evaluation; the others wait for the next
_NAMES_SHOWN = 5
_RETRIED_WITHIN = timedelta(minutes=5)  # the daemon usually retries within seconds
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def landing_sensor(*, running: bool) -> dg.SensorDefinition:
    """Return the sensor. running: whether it is on by default."""
    status = dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name="landing",
        jobs=[*ingest_jobs, build_job],
        minimum_interval_seconds=SECONDS,
        default_status=status,
        description="Loads each complete new release of the landing folder in a run of its own,"
        " then builds and publishes once.",
    )
    def landing(
        context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
    ) -> dg.SensorResult:
        cursor = Cursor.read(context.cursor)
        under_way = _runs_that_write(context.instance)
        try:
            with read_workbench(settings) as con:
                entries = all_file_entries(con)
                fingerprint = build_fingerprint(con)
                published = last_publication(con)
                decided = last_decisions(con)
        except TryLater:
            return _skip(context, "a run is writing; will check again when it has ended")
        plan = plan_against(
            entries,
            settings.landing_dir,
            known=cursor.reported.items(),
            bundled=settings.bundled_dir,
            limits=settings.release_limits,
        )
        _record_touched(settings, plan)
        partitions = _missing_partitions(context.instance, plan)
        lines = [f"{len(plan.releases)} releases have landed, {len(plan.still_rejected)} rejected"]
        seen = cursor.arriving.keys() | cursor.requested.keys()
        _adopt(context.instance, plan, cursor)
        _note_lost_runs(context.instance, cursor, under_way)
        requests = [
            _ingest(
                context.instance, release, cursor, entries, decided, release.name in plan.replaced
            )
            for release in _to_ingest(plan, cursor, under_way, lines)
        ]
        # A release that has just appeared may belong to the batch; one that keeps growing may not.
        batch_is_complete = cursor.arriving.keys() <= seen
        if not requests and not under_way and batch_is_complete:
            if published and published[1] == fingerprint and settings.warehouse.exists():
                cursor.build = ""  # a decision may bring this state back: then build again
            elif any("accepted" in by_status for by_status in entries.values()):
                after = published[0] if published else "nothing"
                requests = _build(context.instance, fingerprint, after, cursor, lines)
        elif under_way:
            lines.append(f"{len(under_way)} runs are in progress: {_few(under_way.values())}")
        if not requests:
            lines += _refusals(context, plan, cursor)
        return _result(requests, lines, partitions, cursor)

    return landing


def _result(
    requests: list[dg.RunRequest],
    lines: list[str],
    partitions: list[dg.AddDynamicPartitionsRequest],
    cursor: Cursor,
) -> dg.SensorResult:
    """Return the run requests, or else the lines as the reason for skipping."""
    reason = "\n".join(lines if len(lines) > 1 else [*lines, "nothing new"])
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else reason,
        dynamic_partitions_requests=partitions,
        cursor=cursor.text(),
    )


def _skip(context: dg.SensorEvaluationContext, reason: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=context.cursor)


def _runs_that_write(instance: dg.DagsterInstance) -> dict[str, str]:
    """Return the unfinished runs, by run key or else id, except those that fetch. Includes runs
    that have just failed and that Dagster is about to retry.
    """
    now = system_clock()
    runs = [
        *instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)),
        *(
            run
            for run in instance.get_runs(
                dg.RunsFilter(
                    statuses=[dg.DagsterRunStatus.FAILURE],
                    tags={WILL_RETRY: "true"},
                    updated_after=now - _RETRIED_WITHIN,
                    # A run that failed while the clock was ahead must not keep it waiting.
                    updated_before=now + _RETRIED_WITHIN,
                )
            )
            if RETRY_RUN_ID not in run.tags
        ),
    ]
    return {
        run.tags.get(RUN_KEY, run.run_id): f"{run.job_name} {run.run_id[:8]}"
        for run in runs
        if not run.asset_selection or any(key.path[0] != FETCH for key in run.asset_selection)
    }


def _record_touched(settings: Settings, plan: Plan) -> None:
    """Record new times of unchanged files in the ledger, so that they are read only once."""
    if plan.touched:
        try:
            with write_lock(settings, timeout=0), open_workbench(settings) as con:
                record_modified(con, plan.touched)
        except TryLater:
            pass  # another run is writing: the next evaluation does it


def _missing_partitions(
    instance: dg.DagsterInstance, plan: Plan
) -> list[dg.AddDynamicPartitionsRequest]:
    """Return requests that add a partition for each new release."""
    landed: dict[str, list[str]] = {}
    for release in plan.releases:
        landed.setdefault(release.source, []).append(str(release.date))
    requests = []
    for source, days in landed.items():
        partitions = releases_partition(all_sources()[source])
        known = set(instance.get_dynamic_partitions(source))
        missing = [day for day in days if day not in known]
        if missing:
            requests.append(partitions.build_add_request(missing))
    return requests


def _adopt(instance: dg.DagsterInstance, plan: Plan, cursor: Cursor) -> None:
    """Take an unfinished run of a release as the one requested for it: of a person, or of this
    sensor before its cursor was reset.
    """
    waiting = {
        (f"ingest_{release.source}", str(release.date)): release
        for release in plan.new
        if release.name not in cursor.requested
    }
    if not waiting:
        return
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        release = waiting.get((run.job_name, run.tags.get(PARTITION, "")))
        if release:
            key = run.tags.get(RUN_KEY, run.run_id)
            cursor.requested[release.name] = (key, release_state(release))


def _note_lost_runs(
    instance: dg.DagsterInstance, cursor: Cursor, under_way: dict[str, str]
) -> None:
    """Forget requests whose run was deleted: then nothing says how it ended."""
    for name, (key, _) in list(cursor.requested.items()):
        if key in under_way or _has_run(instance, key):
            cursor.seen = sorted({*cursor.seen, name})
        elif name in cursor.seen:
            del cursor.requested[name]
    cursor.seen = [name for name in cursor.seen if name in cursor.requested]


def _to_ingest(
    plan: Plan, cursor: Cursor, under_way: dict[str, str], lines: list[str]
) -> list[Release]:
    """Return the complete releases to load; add lines on incomplete and failed ones."""
    states = {release.name: release_state(release) for release in plan.new}
    stuck = []
    for name, (key, state) in list(cursor.requested.items()):
        if name not in states or (key not in under_way and state != states[name]):
            del cursor.requested[name]
        elif key not in under_way:
            stuck.append(name)
    waiting = [release for release in plan.new if release.name not in cursor.requested]
    now = system_clock().timestamp()
    arriving = {release.name: _first_seen(release, states, cursor, now) for release in waiting}
    ready = [r for r in waiting if _is_complete(r, now - arriving[r.name])]
    taken = ready[:MAX_RUNS]
    cursor.arriving = {
        r.name: (states[r.name], arriving[r.name]) for r in waiting if r not in taken
    }
    cursor.round += bool(taken)
    incomplete = [r.name for r in waiting if r not in ready]
    if incomplete:
        lines.append(f"arriving, loaded when unchanged for {SETTLED} seconds: {_few(incomplete)}")
    if stuck:
        lines.append(
            f"a requested run ended without an entry in the ledger: {_few(stuck)}; see"
            " why it failed, then materialize the partition again"
        )
    return taken


def _first_seen(release: Release, states: dict[str, str], cursor: Cursor, now: float) -> float:
    """Return when a release was first seen as it is now."""
    state, seen = cursor.arriving.get(release.name, ("", now))
    # A clock that jumps backwards must not keep it waiting.
    return min(seen, now) if state == states[release.name] else now


def _is_complete(release: Release, unchanged_for: float) -> bool:
    return unchanged_for >= SETTLED or is_marked_complete(release.files[0].parent)


def _ingest(
    instance: dg.DagsterInstance,
    release: Release,
    cursor: Cursor,
    entries: Mapping[tuple[str, date], Mapping[str, list[FileEntry]]],
    decided: Mapping[str, datetime],
    replaces: bool,
) -> dg.RunRequest:
    job, day, state = f"ingest_{release.source}", str(release.date), release_state(release)
    by_status = entries.get((release.source, release.date), {}).values()
    ledger = [entry.loaded_at for some in by_status for entry in some]
    ledger += [decided[release.name]] if release.name in decided else []
    before = _last_run(instance, dg.RunsFilter(job_name=job, tags={PARTITION: day}))
    at = max(ledger).isoformat() if ledger else "never loaded"
    key = f"{release.name} {state} {at} {before} {cursor.round}"
    cursor.requested[release.name] = (key, state)
    return dg.RunRequest(
        run_key=key,
        job_name=job,
        partition_key=day,
        run_config={"ops": {f"load_{release.source}": {"config": {"reload": replaces}}}},
    )


def _has_run(instance: dg.DagsterInstance, key: str) -> bool:
    """Whether there is a run with this key, or id if a person started it."""
    by_key = dg.RunsFilter(tags={RUN_KEY: key})
    return bool(instance.get_runs(by_key, limit=1)) or instance.get_run_by_id(key) is not None


def _last_run(instance: dg.DagsterInstance, which: dg.RunsFilter) -> str:
    """Return the id of the newest run, for a run key."""
    return next((run.run_id for run in instance.get_runs(which, limit=1)), "no run before")


def _build(
    instance: dg.DagsterInstance, fingerprint: str, after: str, cursor: Cursor, lines: list[str]
) -> list[dg.RunRequest]:
    """Return the request for a build. after: the last publication."""
    job = build_job.name
    if cursor.build == fingerprint:
        lines.append(
            "the build of the current releases has failed: correct the cause (docs/"
            f"when-a-gate-fails.md), then launch the job `{job}`"
        )
        return []
    cursor.build = fingerprint
    cursor.round += 1
    before = _last_run(instance, dg.RunsFilter(job_name=job))
    key = f"{job} {fingerprint[:16]} {after} {before} {cursor.round}"
    return [dg.RunRequest(run_key=key, job_name=job)]


def _refusals(context: dg.SensorEvaluationContext, plan: Plan, cursor: Cursor) -> list[str]:
    """Return each problem once in full; afterwards only as a summary."""
    states = {release.label: (release.name, release) for release in plan.releases}
    now: dict[str, str] = {}
    fresh: list[BadInput] = []
    for problem in plan.problems:
        name, release = states.get(problem.where, (problem.where, None))
        now[name] = release_state(release) if release else str(problem)
        if cursor.reported.get(name) != now[name]:
            fresh.append(problem)
            context.log.error(str(problem))
    now |= {release.name: cursor.reported[release.name] for release in plan.skipped}
    cursor.reported = now
    lines = [f"REFUSED {problem}" for problem in fresh]
    if len(now) > len(fresh):
        lines.append(f"{len(now)} refused, as reported before: {_few(now)}")
    return lines


def _few(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _NAMES_SHOWN
    return ", ".join(every[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
