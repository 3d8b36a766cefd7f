from pathlib import Path

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.layouts import layout_of
from tests.layouts.layout_reader import WORLD_BANK, changed, refusal
from tests.support import BARE, BULK, COUNTRIES, INDICATORS


def test_each_file_of_the_world_bank_has_its_own_layout() -> None:
    tables = [layout_of(path, WORLD_BANK).name for path in (BULK, BARE, COUNTRIES, INDICATORS)]
    assert tables == [
        "World Bank bulk download, data file",
        "World Bank table without preamble",
        "World Bank bulk download, country metadata",
        "World Bank bulk download, indicator metadata",
    ]


def test_an_empty_file_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "made_up.csv"
    path.touch()
    problem = refusal(con, path)
    assert (problem.what, problem.found) == ("empty file", "0 bytes")


def test_the_complaint_is_that_of_the_nearest_layout(tmp_path: Path) -> None:
    path = changed(tmp_path, INDICATORS, b"SOURCE_NOTE", b"NOTE")
    with pytest.raises(BadInput, match="indicator metadata"):
        layout_of(path, WORLD_BANK)
