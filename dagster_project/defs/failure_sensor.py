"""The sensor that sends alerts about failed runs.

Dagster's `make_email_on_run_failure_sensor` sends only mail, requires a password, and names neither
the release nor the live publication.
"""

import dagster as dg

from dagster_project.alerts.delivery import has_address, send
from dagster_project.alerts.message import message
from dagster_project.alerts.run_failure import alert_of, set_aside_by
from dagster_project.base.dagster_home import BY_MAKE_RUN
from dagster_project.base.run_tags import WILL_RETRY
from dagster_project.base.settings import Settings


@dg.run_failure_sensor(
    name="run_failure_alert",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends one alert per failed run to the destinations in the settings. If that"
    " fails, so does the tick, with the reason: Dagster does not retry it.",
)
def run_failure_alert(
    context: dg.RunFailureSensorContext, settings: dg.ResourceParam[Settings]
) -> dg.SkipReason | None:
    """Send the alert for one failed run."""
    run = context.dagster_run
    if BY_MAKE_RUN.items() <= run.tags.items():
        return dg.SkipReason("`make run` sends the alerts for its own runs")
    if run.tags.get(WILL_RETRY) == "true" and not set_aside_by(run):
        return dg.SkipReason(f"run {run.run_id} will be retried")
    if not has_address(settings):
        return dg.SkipReason("no destination: set ROYALTY_NOTIFY_WEBHOOK or ROYALTY_NOTIFY_EMAIL")
    events = [
        entry.dagster_event
        for entry in context.instance.all_logs(run.run_id)
        if entry.dagster_event
    ]
    send(settings, message(settings, [alert_of(run, events)]))
    context.log.info(f"alert sent for run {run.run_id}")
    return None
