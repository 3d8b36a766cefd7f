from dataclasses import replace

import pytest

from dagster_project.base.errors import BadInput
from dagster_project.defs.raw import raw_assets
from dagster_project.sources import all_sources


def test_an_error_says_where_to_add_a_sources_missing_seed_row() -> None:
    with pytest.raises(BadInput, match="has no row in the seed") as caught:
        raw_assets(replace(all_sources()["worldbank_wdi"], name="made_up"))
    assert caught.value.where == "dbt/seeds/sources.csv"
    assert "made_up" in caught.value.expected


def test_a_source_that_lands_by_hand_says_so_in_the_ui() -> None:
    (spec,) = raw_assets(all_sources()["bea_trade_by_area"]).specs
    assert "interactive table" in spec.metadata["landed by hand"]
    specs = raw_assets(all_sources()["worldbank_wdi"]).specs
    assert all("landed by hand" not in spec.metadata for spec in specs)
