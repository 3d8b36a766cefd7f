"""The Dagster definitions, merged: assets, gates, jobs, schedules, sensors."""

from functools import partial

import dagster as dg

from dagster_project.base.env_file import load_env_file
from dagster_project.base.environment import clear_environment
from dagster_project.base.output import unfailing_output
from dagster_project.base.private_files import private_by_default
from dagster_project.base.settings import Settings
from dagster_project.defs.after_crash import WorkbenchAfterCrash
from dagster_project.defs.asset_metadata import (
    ledger_releases,
    with_column_descriptions,
    with_report_pages,
)
from dagster_project.defs.dbt_layers import layer_assets
from dagster_project.defs.failure_sensor import run_failure_alert
from dagster_project.defs.fetch import fetch_assets
from dagster_project.defs.gate_checks import layer_gate, raw_gate
from dagster_project.defs.jobs import asset_jobs, operator_jobs
from dagster_project.defs.landing_sensor import landing_sensor
from dagster_project.defs.loggers import run_loggers
from dagster_project.defs.publication import publication
from dagster_project.defs.raw import landing_folder, raw_assets
from dagster_project.defs.report import report
from dagster_project.defs.resources import resources
from dagster_project.defs.schedules import fetch_schedules
from dagster_project.defs.upload import upload_definitions
from dagster_project.defs.verification import verification_job, verification_schedule
from dagster_project.sources import all_sources
from dagster_project.transform.layers import LAYERS


def definitions(settings: Settings) -> dg.Definitions:
    """Return the definitions. Runs take their settings from the resources."""
    sources = tuple(all_sources().values())
    pages = partial(with_report_pages, settings)
    running = settings.automation
    defined = dg.Definitions(
        assets=[
            *fetch_assets(settings),
            *(landing_folder(source) for source in sources),
            *(raw_assets(source).map_asset_specs(with_column_descriptions) for source in sources),
            ledger_releases(),
            *(layer_assets(layer).map_asset_specs(pages) for layer in LAYERS),
            publication,
            report,
        ],
        asset_checks=[
            *(raw_gate(source) for source in sources),
            *(layer_gate(layer) for layer in LAYERS),
        ],
        jobs=[*asset_jobs, *operator_jobs, verification_job],
        schedules=[*fetch_schedules(sources, running=running), verification_schedule],
        sensors=[landing_sensor(running=running), run_failure_alert],
        resources=resources(settings, kind=WorkbenchAfterCrash),
        executor=dg.in_process_executor,
        loggers=run_loggers(as_json=settings.log_format == "json"),
    )
    return dg.Definitions.merge(defined, upload_definitions(settings))


@dg.definitions
def defs() -> dg.Definitions:
    """The entry point of Dagster's own processes."""
    unfailing_output()
    load_env_file()
    clear_environment()
    private_by_default()
    return definitions(Settings())
