"""The report as a Dagster asset."""

import dagster as dg

from dagster_project.base.settings import Settings
from dagster_project.defs.publication import publication
from dagster_project.defs.resources import LOCK_TIMEOUT_SECONDS, WRITING_POOL, report_bad_input


@dg.asset(
    key="report",
    group_name="publication",
    deps=[publication],
    kinds={"html"},
    pool=WRITING_POOL,
    description="A static site made from the published file alone: the studies,"
    " one page per reporter, mirror, revisions, coverage, dictionary, downloads.",
)
def report(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    """Write the report from the published file."""
    from dagster_project.report.site import write_report

    with report_bad_input():
        done = write_report(settings, LOCK_TIMEOUT_SECONDS)
    start = settings.report / "index.html"
    return dg.MaterializeResult(
        metadata={
            "start page": dg.MetadataValue.path(start),
            "open": dg.MetadataValue.url(start.as_uri()),
            "publication": done.publication_id,
            "pages": done.pages,
            "seconds": round(done.seconds, 1),
        }
    )
