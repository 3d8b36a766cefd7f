from datetime import date
from pkgutil import iter_modules

import pytest

import dagster_project.sources
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.layouts import LINEAGE_COLUMNS
from dagster_project.sources import all_sources
from dagster_project.sources.code_lists import seed
from dagster_project.sources.source import Source
from tests.new_source import left_to_do
from tests.support import MADE_UP

SOURCES = all_sources()


def test_each_module_is_the_source_of_its_name() -> None:
    modules = {module.name for module in iter_modules(dagster_project.sources.__path__)}
    assert sorted(modules - {"source", "release_calendar", "code_lists"}) == list(SOURCES)


def test_each_source_has_made_up_releases_in_the_landing_folder_of_the_tests() -> None:
    landed = {path.name for path in MADE_UP.iterdir()}
    assert landed == {name for name, source in SOURCES.items() if not source.packaged}


def test_no_todo_is_left_in_a_source() -> None:
    assert left_to_do(PROJECT_ROOT) == []


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


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.packaged])
def test_a_packaged_release_exists_and_is_not_dated_in_the_future(name: str) -> None:
    packaged = SOURCES[name].packaged
    assert packaged
    release = packaged()
    assert release.source == name
    assert date(2020, 1, 1) < release.date
    assert all(path.is_file() for path in release.files)
