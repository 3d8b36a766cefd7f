import json

import dagster as dg
import pytest

from dagster_project.base.settings import Settings
from dagster_project.defs.fetch import fetch_assets
from tests.fetching.publisher_server import Publisher, Reply, tree
from tests.fetching.test_publishers import TOPIC, bulk

KEY = "A1B2C3D4-MADE-UP-KEY"


def materialize(source: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    settings = Settings()
    key = dg.AssetKey(["fetch", source])
    (asset,) = [each for each in fetch_assets(settings) if each.key == key]
    return dg.materialize(
        [asset], instance=instance, raise_on_error=False, resources={"settings": settings}
    )


@pytest.fixture(autouse=True)
def environment(settings: Settings, server: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROYALTY_FETCH_BASE_URLS", json.dumps(settings.fetch_base_urls))
    monkeypatch.setenv("ROYALTY_FETCH_ATTEMPTS", "1")
    monkeypatch.setenv("ROYALTY_FETCH_PAUSE_SECONDS", "0.01")


def test_a_release_lands_and_says_how_it_got_its_date(
    settings: Settings, server: Publisher
) -> None:
    server.serve(TOPIC, bulk())
    with dg.DagsterInstance.ephemeral() as instance:
        shown = [
            materialize("worldbank_wdi", instance)
            .asset_materializations_for_node("fetch_worldbank_wdi")[0]
            .metadata
            for _ in range(2)
        ]
    assert [metadata["new"].value for metadata in shown] == [True, False]
    assert shown[0]["release"].value == "2021-09-15"
    assert shown[0]["dated by"].value == "'Last Updated Date' in the file"
    assert (settings.landing_dir / "worldbank_wdi" / "2021-09-15").is_dir()


def test_a_fault_is_the_steps_failure_and_contains_no_key(
    settings: Settings, server: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_BEA_API_KEY", KEY)
    server.serve("/", Reply(f"sorry {KEY}".encode(), 500))
    before = tree(settings.landing_dir)
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize("bea_intl_serv_trade", instance)
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        retries = [event for event in result.all_events if event.is_step_up_for_retry]
        log = "".join(str(entry) for entry in instance.all_logs(result.run_id))
    shown = failure.step_failure_data.user_failure_data
    assert shown
    assert str(shown.description).startswith("a download that failed at every attempt")
    assert KEY in server.paths[0]
    assert len(retries) == 3  # temporary failures are retried
    assert KEY not in log
    assert tree(settings.landing_dir) == before


def test_permanent_failures_are_not_retried(settings: Settings, server: Publisher) -> None:
    server.serve(TOPIC, Reply(b"gone", 404))
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize("worldbank_wdi", instance)
    assert not result.success
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert server.paths == [TOPIC]
