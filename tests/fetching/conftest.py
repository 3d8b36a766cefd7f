"""Fixtures: a publisher on this machine, and the settings to fetch from it."""

import pytest

from dagster_project.base.settings import Settings
from tests.fetching.publisher_server import Publisher
from tests.support import Warehouse


@pytest.fixture
def settings(folders: Warehouse, server: Publisher) -> Settings:
    """Settings of a landing folder that holds a release of another source already."""
    folders.land("made_up", "2020-01-01", "made_up.csv", "1")
    return Settings(
        fetch_base_urls=dict.fromkeys(
            (
                "bea_intl_serv_trade",
                "boj_balance_of_payments",
                "boj_flat_files",
                "ecb_reference_rates",
                "eurostat_bop_its6",
                "oecd_tis",
                "oecd_wto_batis",
                "ons_itis",
                "ons_trade_by_industry",
                "safe_bop_time_series",
                "worldbank_wdi",
                "wto_stats",
            ),
            server.url,
        ),
        fetch_attempts=3,
        fetch_connect_seconds=2,
        fetch_read_seconds=0.3,
    )
