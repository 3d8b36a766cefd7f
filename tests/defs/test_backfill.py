"""A backfill of many releases: one run, each release loaded and gated by itself."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.definitions.automation_tick_evaluation_context import (
    build_run_requests_with_backfill_policies,
)
from dagster._core.definitions.events import AssetKeyPartitionKey

from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.defs.raw import raw_assets
from dagster_project.defs.resources import resources
from dagster_project.sources import all_sources
from tests.pipeline.test_run import text_of
from tests.support import TEXT, Warehouse, defs, job_named

DAYS = ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"]
FIGURES = dg.AssetKey(["raw", "published_figures__figures"])


def backfill(instance: dg.DagsterInstance, first: str, last: str) -> dg.ExecuteInProcessResult:
    """Execute the one run that a backfill of these releases is."""
    return job_named("ingest_published_figures").execute_in_process(
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        instance=instance,
        raise_on_error=False,
        resources=resources(Settings()),
        tags={
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        },
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("published_figures", DAYS)
        yield instance


def states(folders: Warehouse) -> list[tuple]:
    return folders.workbench(
        "select release_date::varchar, status from audit.releases order by all"
    )


def test_a_range_of_releases_is_one_run() -> None:
    for source in all_sources().values():
        policy = raw_assets(source).backfill_policy
        assert policy == dg.BackfillPolicy.single_run()


@pytest.mark.parametrize(
    ("chosen", "runs"),
    [
        (DAYS, [(DAYS[0], DAYS[3])]),
        ([DAYS[0], DAYS[1], DAYS[3]], [(DAYS[0], DAYS[1]), (DAYS[3], DAYS[3])]),
    ],
    ids=["neighbours", "with a gap"],
)
def test_a_backfill_is_one_run_for_each_range_of_neighbours(
    instance: dg.DagsterInstance, chosen: list[str], runs: list[tuple[str, str]]
) -> None:
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        requests = build_run_requests_with_backfill_policies(
            [AssetKeyPartitionKey(FIGURES, day) for day in chosen],
            defs().resolve_asset_graph(),
            instance,
        )
    tags = [{name.split("_")[-1]: day for name, day in each.tags.items()} for each in requests]
    assert [(tag["start"], tag["end"]) for tag in tags] == runs
    page = (PROJECT_ROOT / "docs" / "scheduling.md").read_text("utf-8")
    assert "each gap begins\n  another run" in page


def test_releases_of_one_run_are_loaded_and_gated_separately(
    folders: Warehouse, instance: dg.DagsterInstance
) -> None:
    for day in DAYS:
        folders.land("published_figures", day, TEXT.name, text_of(day))
    assert backfill(instance, DAYS[0], DAYS[0]).success
    folders.land("published_figures", DAYS[0], TEXT.name, text_of(DAYS[0]) + "\n")  # changed
    folders.land("published_figures", DAYS[1], TEXT.name, "not a text")  # cannot be read
    doubled = text_of(DAYS[2]) + text_of(DAYS[2]).splitlines()[4] + "\n"
    folders.land("published_figures", DAYS[2], TEXT.name, doubled)  # the gate rejects it
    result = backfill(instance, DAYS[0], DAYS[-1])
    assert not result.success
    assert states(folders) == [
        (DAYS[0], "accepted"),
        (DAYS[1], "rejected"),
        (DAYS[2], "rejected"),
        (DAYS[3], "accepted"),
    ]
    assert folders.workbench(
        "select _release::varchar, count(*) from raw.published_figures__figures"
        " group by all order by all"
    ) == [(DAYS[0], 16), (DAYS[2], 17), (DAYS[3], 16)]
    # The UI has the result of each partition, and one check that sums up.
    loads = instance.fetch_materializations(
        dg.AssetRecordsFilter(FIGURES, asset_partitions=DAYS[1:]), limit=10
    ).records
    materialized = {load.partition_key: load.asset_materialization for load in loads}
    assert {day for day, load in materialized.items() if load and "refused" in load.metadata} == {
        DAYS[1]
    }
    last = materialized[DAYS[3]]
    assert last
    assert (last.metadata["release"].value, last.metadata["loaded"].value) == (DAYS[3], True)
    assert last.metadata["rows kept"].value == 16  # of this release alone
    assert last.metadata["dagster/row_count"].value == 49  # of all
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert "the files of an accepted release have changed" in (check.description or "")
    assert "unknown layout" in (check.description or "")
    assert "figure_id is unique within the release" in (check.description or "")
    assert {run.job_name for run in instance.get_runs()} == {"ingest_published_figures"}
    assert len(instance.get_runs()) == 2


def test_a_backfill_without_a_usable_release_fails_at_the_load(
    folders: Warehouse, instance: dg.DagsterInstance
) -> None:
    for day in DAYS[:2]:
        folders.land("published_figures", day, TEXT.name, "not a text")
    result = backfill(instance, DAYS[0], DAYS[1])
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "load_published_figures"
    failure_data = failure.step_failure_data.user_failure_data
    assert failure_data
    assert str(failure_data.description).count("unknown layout") == 2
    assert states(folders) == [(DAYS[0], "rejected"), (DAYS[1], "rejected")]
