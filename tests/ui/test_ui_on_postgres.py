"""The UI in a real browser, with Dagster's runs in PostgreSQL."""

import re
from pathlib import Path

import pytest
from dagster import DagsterInstance
from playwright.sync_api import expect

from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.dagster_postgres import VARIABLE
from tests.pipeline.test_run import text_of
from tests.postgres import needs_postgres, postgres
from tests.support import Warehouse
from tests.survival.test_postgres import ended, land_another, main_job
from tests.ui.test_ui import (
    Browser,
    browsing,
    launches_a_run_and_sees_it_succeed,
    needs_chromium,
    running_ui,
    sees_the_runs_of_the_command_line,
)

pytestmark = [pytest.mark.slow, pytest.mark.ui, needs_chromium, needs_postgres]


def test_the_browser_shows_runs_in_postgresql_and_launches_one(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres() as server:
        monkeypatch.setenv(VARIABLE, server.url)
        land_another(warehouse)
        code, printed = ended(main_job())
        assert code == 0, printed
        warehouse.land("published_figures", "2020-03-31", "made_up.csv", text_of("2020-03-31"))
        dagster_home()
        with DagsterInstance.get() as instance:
            instance.add_dynamic_partitions("published_figures", ["2020-03-31"])
        with (
            running_ui(tmp_path / "server.log") as address,
            browsing(address, tmp_path) as browser,
        ):
            sees_the_runs_of_the_command_line(browser)
            opens_the_run_that_published(browser)
            launches_a_run_and_sees_it_succeed(browser)
            assert browser.errors == []
        assert server.rows("select pipeline_name, status from runs order by id") == [
            ("ingest_published_figures", "SUCCESS"),
            ("build", "SUCCESS"),
            ("__ASSET_JOB", "SUCCESS"),  # Dagster's name for what the browser launched
        ]
    assert not list((warehouse.folder / "dagster_home").rglob("*.db")), "files of SQLite"


def opens_the_run_that_published(browser: Browser) -> None:
    page = browser.open("/locations/royalty_flows/jobs/build/runs")
    page.get_by_role("link", name=re.compile(r"\b[0-9a-f]{8}$")).first.click()
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    expect(page.get_by_text("publication", exact=True).first).to_be_visible()
