"""Everything Dagster knows of the warehouse: assets, gates, jobs and the workbench.

Kinds of jobs: `fetch` brings the publishers' current releases into the landing folder,
`ingest_<source>` loads and gates one release (a partition), and `build` takes what the ledger has
accepted from staging to publication (`publish`: only the last step, after it was broken off); those
of an operator are in `jobs.py`. `write_report` writes the report on what is published. A schedule a
source fetches it; the sensor `landing` launches the rest.
"""

import dagster as dg

from dagster_project.base.settings import Settings
from dagster_project.defs.asset_metadata import described
from dagster_project.defs.dbt_layers import layer_assets
from dagster_project.defs.failure_sensor import run_failure_alert
from dagster_project.defs.fetch import GROUP as FETCH
from dagster_project.defs.fetch import fetch_assets
from dagster_project.defs.gate_checks import layer_gate, raw_gate
from dagster_project.defs.jobs import operator_jobs
from dagster_project.defs.landing_sensor import landing_sensor
from dagster_project.defs.loggers import run_loggers
from dagster_project.defs.publication import publication
from dagster_project.defs.raw import landing_folder, raw_assets, raw_key
from dagster_project.defs.report import report
from dagster_project.defs.resources import Workbench
from dagster_project.defs.schedules import fetch_schedules
from dagster_project.sources import all_sources
from dagster_project.transform.layers import LAYERS

SOURCES = tuple(all_sources().values())

# A run whose process has died is started anew (dagster.yaml), and from its beginning: what it left
# half-made is not built upon.
_FROM_THE_START = {"dagster/retry_strategy": "ALL_STEPS"}

fetch_job = dg.define_asset_job(
    "fetch",
    selection=dg.AssetSelection.groups(FETCH),
    description="Download every source's current release. A source that fails stops no other.",
)

ingest_jobs = [
    dg.define_asset_job(
        f"ingest_{source.name}",
        selection=dg.AssetSelection.assets(*(raw_key(table) for table in source.tables)),
        description=f"Load and gate one release of {source.name}, or several in a backfill.",
        tags=_FROM_THE_START,
    )
    for source in SOURCES
]

build_job = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.groups("raw", FETCH)
    - dg.AssetSelection.assets(report),
    description="From the accepted releases to a published, audited warehouse.",
    tags=_FROM_THE_START,
)

publish_job = dg.define_asset_job(
    "publish",
    selection=dg.AssetSelection.assets("publication"),
    description="Publish a candidate whose gates have all passed; refuses any other.",
)

# A job of its own, and no part of `make run`: it takes 5 to 10 seconds, the first time on top of
# them the bundling of the charts' JavaScript, and what is published does not wait for its report.
report_job = dg.define_asset_job(
    "write_report",
    selection=dg.AssetSelection.assets(report),
    description="Write the report on what is published, a static site.",
)

defs = dg.Definitions(
    assets=[
        *fetch_assets(),
        *(landing_folder(source) for source in SOURCES),
        *(raw_assets(source).map_asset_specs(described) for source in SOURCES),
        *(layer_assets(layer) for layer in LAYERS),
        publication,
        report,
    ],
    asset_checks=[
        *(raw_gate(source) for source in SOURCES),
        *(layer_gate(layer) for layer in LAYERS),
    ],
    jobs=[fetch_job, *ingest_jobs, build_job, publish_job, report_job, *operator_jobs],
    schedules=fetch_schedules(SOURCES),
    sensors=[landing_sensor(ingest_jobs, build_job), run_failure_alert],
    resources={"workbench": Workbench.of(Settings())},
    executor=dg.in_process_executor,
    loggers=run_loggers(),
)
