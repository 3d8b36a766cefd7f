"""A landing folder of small made-up files, through the whole run: what becomes of their figures."""

from pathlib import Path

import pytest

from tests.support import FIXTURES, Outcome, Scenario, Warehouse, built_once

# The two mirrors of BaTIS are there as two releases, so that their facts can be compared.
SMALL = ("bea_trade_by_area", "oecd_wto_batis", "iso_country_codes", "fed_exchange_rates")


@pytest.fixture(scope="session")
def small(shared: Path) -> Scenario:
    """The warehouse of the made-up files of `SMALL`, and of a made-up text in yen of 1992."""

    def build(warehouse: Warehouse) -> Outcome:
        warehouse.landing.mkdir()
        for source in SMALL:
            (warehouse.landing / source).symlink_to(FIXTURES / f"{source}_made_up")
        texts = FIXTURES / "yen_made_up"
        (warehouse.landing / "published_figures").symlink_to(texts)
        return warehouse.run()

    return built_once(shared / "small", build)
