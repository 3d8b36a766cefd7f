"""Schedules and freshness, from the publishers' calendars."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions import freshness_evaluator
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.instance.config import PoolGranularity
from dagster._utils.schedules import schedule_execution_time_iterator

from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.settings import Settings
from dagster_project.definitions import definitions
from dagster_project.defs.raw import freshness
from dagster_project.fetching.publishers import all_fetchers
from dagster_project.sources import all_sources
from tests.defs.daemon import schedule_of
from tests.support import defs

SCHEDULES = {f"fetch_{name}": schedule_of(name) for name in all_fetchers()}

# The first tick of each schedule in 2026, in UTC: cron and time zone together.
FIRST_TICKS = {
    "fetch_bea_intl_serv_trade": "2026-06-03 15:00",
    "fetch_boj_balance_of_payments": "2026-01-07 00:15",
    "fetch_boj_flat_files": "2026-01-07 00:15",
    "fetch_ecb_reference_rates": "2026-01-02 16:00",
    "fetch_eurostat_bop_its6": "2026-01-05 10:30",
    "fetch_oecd_tis": "2026-01-03 05:00",
    "fetch_oecd_wto_batis": "2026-01-03 03:00",
    "fetch_ons_itis": "2026-01-06 09:45",
    "fetch_ons_pink_book": "2026-10-01 08:45",
    "fetch_ons_services_by_partner": "2026-01-01 09:45",
    "fetch_ons_trade_by_industry": "2026-02-03 09:45",
    "fetch_safe_bop_time_series": "2026-03-20 10:00",
    "fetch_worldbank_wdi": "2026-01-06 11:00",
    "fetch_wto_stats": "2026-04-06 03:30",
}

# Days on which publishers have released: one asks within two days (a week for those without a day).
RELEASED = {
    "ons_services_by_partner": ["2018-10-24", "2019-01-23", "2019-04-24", "2019-07-24"],
    "ons_pink_book": ["2020-10-30"],
    "safe_bop_time_series": ["2020-06-24", "2026-03-27"],
    "boj_balance_of_payments": ["2026-03-10", "2026-03-11"],
    "boj_flat_files": ["2026-08-10"],
    "worldbank_wdi": ["2021-09-15"],
    "oecd_wto_batis": ["2025-12-02"],
    "bea_intl_serv_trade": ["2026-07-07"],
    "wto_stats": ["2026-04-22"],
}


def ticks(name: str, start: datetime) -> list[datetime]:
    """The next hundred times of a schedule, in UTC."""
    schedule = SCHEDULES[name]
    times = schedule_execution_time_iterator(
        start.timestamp(), str(schedule.cron_schedule), schedule.execution_timezone
    )
    return [time.astimezone(UTC) for time in islice(times, 100)]


def test_each_source_that_can_be_fetched_has_a_schedule_and_no_other() -> None:
    assert {each.name for each in defs().schedules or []} == {*SCHEDULES, "verify_by_rebuild"}
    for name, source in all_sources().items():
        assert bool(source.calendar and source.calendar.poll_cron) == (name in all_fetchers())


@pytest.mark.parametrize(("name", "first"), FIRST_TICKS.items(), ids=FIRST_TICKS)
def test_a_schedule_asks_in_the_publishers_own_time(name: str, first: str) -> None:
    assert f"{ticks(name, datetime(2026, 1, 1, tzinfo=UTC))[0]:%Y-%m-%d %H:%M}" == first


def test_every_schedule_is_in_the_table_above() -> None:
    assert set(FIRST_TICKS) == set(SCHEDULES)


def test_a_schedule_fetches_its_source_alone() -> None:
    schedule = SCHEDULES["fetch_worldbank_wdi"]
    assert defs().resolve_job_def(schedule.job_name).asset_layer.executable_asset_keys == {
        dg.AssetKey(["fetch", "worldbank_wdi"])
    }


@pytest.mark.parametrize(
    ("source", "day"), [(name, day) for name, days in RELEASED.items() for day in days]
)
def test_every_past_release_would_have_been_polled_within_a_week(source: str, day: str) -> None:
    released = datetime.fromisoformat(f"{day}T10:00+00:00")
    asked = ticks(f"fetch_{source}", released)[0]
    assert asked - released <= timedelta(days=7)


def test_nothing_is_switched_on_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def states() -> set[str]:
        graph = definitions(Settings())
        schedules = {
            schedule.default_status.value
            for schedule in graph.schedules or []
            if schedule.name != "verify_by_rebuild"  # off until someone switches it on
        }
        return schedules | {
            sensor.default_status.value
            for sensor in graph.sensors or []
            if sensor.name == "landing"
        }

    assert states() == {"STOPPED"}
    monkeypatch.setenv("ROYALTY_AUTOMATION", "true")
    assert states() == {"RUNNING"}


# Freshness


def freshness_of(
    source: str, loaded: str, now: str, monkeypatch: pytest.MonkeyPatch
) -> FreshnessState:
    """The daemon's verdict on a raw table's freshness at a time, given its last load."""
    event = SimpleNamespace(timestamp=datetime.fromisoformat(f"{loaded}T12:00+00:00").timestamp())
    record = SimpleNamespace(asset_entry=SimpleNamespace(last_materialization=event))

    async def gen(*_: Any) -> Any:
        return record

    monkeypatch.setattr(freshness_evaluator.AssetRecord, "gen", gen)
    monkeypatch.setattr(
        freshness_evaluator,
        "get_current_datetime",
        lambda zone: datetime.fromisoformat(f"{now}T18:00+00:00"),
    )
    node: Any = SimpleNamespace(
        key=dg.AssetKey("raw"), freshness_policy_or_from_metadata=freshness(all_sources()[source])
    )
    evaluator = freshness_evaluator.CronFreshnessPolicyEvaluator()
    return asyncio.run(evaluator.evaluate_freshness(context=None, node=node))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "loaded", "fresh_until", "stale_from"),
    [
        ("ons_pink_book", "2020-10-30", "2021-11-14", "2021-11-16"),
        ("ons_services_by_partner", "2019-01-23", "2019-05-07", "2019-05-09"),
        ("boj_balance_of_payments", "2026-03-11", "2026-04-19", "2026-04-21"),
        ("safe_bop_time_series", "2026-03-27", "2026-07-06", "2026-07-08"),
        ("worldbank_wdi", "2021-09-15", "2022-01-31", "2022-02-02"),
        ("oecd_wto_batis", "2025-12-02", "2027-02-28", "2027-03-02"),
        ("eurostat_bop_its6", "2026-10-05", "2027-04-14", "2027-04-16"),
        ("oecd_tis", "2026-08-01", "2027-01-14", "2027-01-16"),
        ("bea_intl_serv_trade", "2026-07-07", "2027-08-30", "2027-09-01"),
        ("bea_trade_by_area", "2021-09-21", "2022-01-09", "2022-01-11"),
        ("wto_stats", "2026-04-22", "2027-05-30", "2027-06-01"),
        ("ecb_reference_rates", "2026-02-02", "2026-03-04", "2026-03-06"),
    ],
)
def test_a_source_is_fresh_until_its_next_release_is_overdue(
    source: str,
    loaded: str,
    fresh_until: str,
    stale_from: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert freshness_of(source, loaded, fresh_until, monkeypatch) == FreshnessState.PASS
    assert freshness_of(source, loaded, stale_from, monkeypatch) == FreshnessState.FAIL


def test_raw_tables_and_the_publication_have_a_freshness_policy() -> None:
    graph = defs().resolve_asset_graph()
    for source in all_sources().values():
        for table in source.tables:
            policy = graph.get(dg.AssetKey(["raw", table.name])).freshness_policy_or_from_metadata
            assert (policy is not None) == (source.calendar is not None)
    assert graph.get(dg.AssetKey("publication")).freshness_policy_or_from_metadata


# The instance


def test_the_instance_lets_one_run_write_at_a_time_and_restarts_orphaned_runs() -> None:
    with dg.DagsterInstance.from_config(str(dagster_home())) as instance:
        pools = instance.get_concurrency_config().pool_config
        assert (pools.pool_granularity, pools.default_pool_limit) == (PoolGranularity.RUN, 1)
        assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
        assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 2)
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.run_monitoring_enabled
        assert instance.freshness_enabled
