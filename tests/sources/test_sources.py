from datetime import date

import pytest

from dagster_project.code_lists import seed
from dagster_project.layouts import LINEAGE_COLUMNS
from dagster_project.sources import all_sources
from dagster_project.sources.source import Source

SOURCES = all_sources()


def test_each_module_is_a_source() -> None:
    assert list(SOURCES) == [
        "ecb_reference_rates",
        "iso_3166",
        "published_figures",
        "worldbank_wdi",
    ]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_is_complete(source: Source) -> None:
    filled = {layout.table for layout in source.layouts}
    assert filled == set(source.tables)
    assert set(source.required) <= filled
    assert all(table.name.startswith(f"{source.name}__") for table in source.tables)
    assert [row["source"] for row in seed("sources")].count(source.name) == 1


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_raw_table_has_the_columns_of_its_lineage(source: Source) -> None:
    for table in source.tables:
        assert not set(table.data_columns) & set(LINEAGE_COLUMNS)
        assert ("_column" in table.data_columns) == table.by_cell
        for name, type_ in LINEAGE_COLUMNS.items():
            assert f"{name} {type_}" in table.ddl


@pytest.mark.parametrize("name", ["iso_3166", "ecb_reference_rates"])
def test_a_packaged_release_is_there_and_not_of_the_future(name: str) -> None:
    packaged = SOURCES[name].packaged
    assert packaged
    release = packaged()
    assert release.source == name
    assert date(2020, 1, 1) < release.date
    assert all(path.is_file() for path in release.files)
