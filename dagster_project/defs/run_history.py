"""Dagster's run history: the last failure, and runs that may be removed.

`maintenance` does not import Dagster: its callers pass these functions.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import dagster as dg
from dagster import AssetRecordsFilter, DagsterEventType

from dagster_project.base.run_tags import PARTITION
from dagster_project.maintenance.prune import Leftover


def last_failure(instance: dg.DagsterInstance) -> str:
    """Describe the last failed run: which, when, and whether its job has succeeded since."""
    failures = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=1
    )
    if not failures:
        return "none"
    run, started = failures[0].dagster_run, failures[0].create_timestamp
    later = instance.get_run_records(
        dg.RunsFilter(
            job_name=run.job_name,
            statuses=[dg.DagsterRunStatus.SUCCESS],
            created_after=started,
            tags={key: value for key, value in run.tags.items() if key == PARTITION},
        ),
        limit=1,
    )
    name = " ".join(filter(None, (run.job_name, run.tags.get(PARTITION))))
    after = "it has succeeded since" if later else f"in the UI: /runs/{run.run_id}"
    return f"{started:%Y-%m-%d %H:%M} UTC, {name}; {after}"


def old_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[Leftover]:
    """Yield finished runs, except the latest of each asset and partition."""
    done = [
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    ]
    finished = dg.RunsFilter(statuses=done, created_before=before.replace(tzinfo=UTC))
    old = [run.run_id for run in instance.get_runs(finished)]
    shown = _runs_shown(instance) if old else set()
    removable = [run_id for run_id in old if run_id not in shown]
    if removable:
        yield Leftover(
            f"{len(removable):,} Dagster runs before {before:%Y-%m-%d}, with their logs",
            partial(_delete_runs, instance, removable),
        )


def _runs_shown(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs from which the UI shows the state of assets and partitions."""
    shown = set()
    for key in instance.all_asset_keys():
        latest = instance.event_log_storage.get_latest_storage_id_by_partition(
            key, DagsterEventType.ASSET_MATERIALIZATION
        )
        event = instance.get_latest_materialization_event(key)
        if event:
            shown.add(event.run_id)
        if latest:
            ids = list(latest.values())
            records = instance.fetch_materializations(
                AssetRecordsFilter(asset_key=key, storage_ids=ids), limit=len(ids)
            ).records
            shown |= {record.run_id for record in records}
    return shown


def _delete_runs(instance: dg.DagsterInstance, run_ids: list[str]) -> None:
    # SQLite leaves an empty file per run.
    file_of_run = getattr(instance.event_log_storage, "path_for_shard", None)
    for run_id in run_ids:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        if file_of_run:
            Path(file_of_run(run_id)).unlink(missing_ok=True)
