"""The publication in object storage, as an asset with a job and a sensor of its own.

Not part of the job `build`: a store that does not answer must not make a publication look failed,
and an upload can be repeated alone. Without `ROYALTY_PUBLISH_URL` there is none of this.
"""

from datetime import timedelta

import dagster as dg

from dagster_project.base.clock import system_clock
from dagster_project.base.settings import Settings
from dagster_project.defs.publication import publication
from dagster_project.defs.resources import WRITING_POOL, Workbench, report_bad_input
from dagster_project.publication.kept_files import publication_id
from dagster_project.publication.upload import is_uploaded, upload

GROUP = JOB = "upload"

_SECONDS = 60  # between evaluations; each lists what is there
_PAUSE = timedelta(hours=1)  # before a failed upload is requested again
_RETRIES = 2
_FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def upload_definitions(settings: Settings) -> dg.Definitions:
    """Return asset, job and sensor; none without `ROYALTY_PUBLISH_URL`."""
    if not settings.publish_url:
        return dg.Definitions()
    asset = _asset(settings)
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(asset),
        description="Put the live publication into object storage, or complete what is there.",
    )
    return dg.Definitions(assets=[asset], jobs=[job], sensors=[_sensor()])


def _asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key="uploaded_publication",
        group_name=GROUP,
        deps=[publication],
        kinds={"objectstore"},
        pool=WRITING_POOL,
        retry_policy=dg.RetryPolicy(
            max_retries=_RETRIES,
            delay=settings.publish_pause_seconds,
            backoff=dg.Backoff.EXPONENTIAL,
        ),
        description="The live publication in object storage, for readers on other machines."
        " `current.json` names it once every object has been read back.",
    )
    def uploaded_publication(workbench: Workbench) -> dg.MaterializeResult:
        """Upload the live publication; outages are retried."""
        with report_bad_input():
            done = upload(workbench.settings)
        return dg.MaterializeResult(
            metadata={
                "publication": done.publication_id,
                "url": done.url,
                "objects": done.objects,
                "bytes": done.bytes,
                "objects written": len(done.stored),
                "publications deleted": ", ".join(done.pruned) or "none",
            }
        )

    return uploaded_publication


def _sensor() -> dg.SensorDefinition:
    @dg.sensor(
        name=JOB,
        job_name=JOB,
        minimum_interval_seconds=_SECONDS,
        # With automation off, too: who sets a URL wants every publication there.
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Uploads the live publication when it is not the current one in object storage:"
        " after a publication, a rollback, or an upload that failed an hour ago.",
    )
    def upload_sensor(
        context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
    ) -> dg.RunRequest | dg.SkipReason:
        live = publication_id(settings)
        if live is None:
            return dg.SkipReason("nothing is published")
        if reason := _reason_to_wait(context.instance, live):
            return dg.SkipReason(reason)
        if is_uploaded(settings):
            return dg.SkipReason(f"publication {live} is uploaded")
        return dg.RunRequest(tags={"publication": live})

    return upload_sensor


def _reason_to_wait(instance: dg.DagsterInstance, live: str) -> str | None:
    """Return why no upload may be requested now: one is going on, or has just failed."""
    for last in instance.get_run_records(dg.RunsFilter(job_name=JOB), limit=1):
        run = last.dagster_run
        if not run.is_finished:
            return f"run {run.run_id} is uploading"
        is_same = run.tags.get("publication", live) == live
        # Of either sign: a failure while the clock was ahead must not keep it waiting.
        passed = abs(system_clock() - last.update_timestamp)
        if run.status in _FAILED and is_same and passed < _PAUSE:
            return f"run {run.run_id} has failed; the next attempt is an hour after it"
    return None
