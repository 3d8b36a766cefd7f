"""Materializations show the same numbers as the ledger and the published file."""

import pytest

from dagster_project.sources import all_sources
from tests.support import Scenario


def loads(template: Scenario) -> list[tuple[str, str]]:
    return template.warehouse.published(
        "select distinct source, release_date::varchar from audit.releases"
    )


def test_the_ledger_has_the_numbers_of_rows_read_and_kept(template: Scenario) -> None:
    releases = loads(template)
    assert releases
    for source, release in releases:
        shown = [
            template.outcome.metadata(f"raw/{table.name}", release)
            for table in all_sources()[source].tables
        ]
        ((read, kept, size),) = template.warehouse.published(
            "select sum(rows_read), sum(rows_kept), sum(bytes) from audit.releases"
            f" where source = '{source}' and release_date = '{release}'"
        )
        for label, stated in (("rows read", read), ("rows kept", kept), ("bytes", size)):
            assert sum(table.get(label, 0) for table in shown) == stated
        for table in shown:
            if "rows read" in table:
                assert table["rows left out"] == table["rows read"] - table["rows kept"]
                assert table["rows per second"] == pytest.approx(
                    table["rows read"] / table["seconds"], rel=0.6, abs=2000
                )
            else:
                assert table["dagster/partition_row_count"] == 0


def test_the_rows_of_a_raw_table_grow_by_those_of_its_releases(template: Scenario) -> None:
    for source, release in loads(template):
        for table in all_sources()[source].tables:
            shown = template.outcome.metadata(f"raw/{table.name}", release)
            ((rows,),) = template.warehouse.workbench(
                f"select count(*) from raw.\"{table.name}\" where _release <= '{release}'"
            )
            assert shown["dagster/row_count"] == rows
            ((rows,),) = template.warehouse.workbench(
                f"select count(*) from raw.\"{table.name}\" where _release = '{release}'"
            )
            assert shown["dagster/partition_row_count"] == rows


def test_the_row_count_of_every_model_is_that_of_its_table(template: Scenario) -> None:
    published = template.warehouse.published(
        "select schema_name, table_name from duckdb_tables() where schema_name <> 'audit'"
    )
    assert published
    for schema, table in published:
        ((rows,),) = template.warehouse.published(f"select count(*) from {schema}.{table}")
        shown = template.outcome.metadata(f"{schema}/{table}")
        assert shown["dagster/row_count"] == rows
        assert shown["seconds"] > 0


def test_the_publication_says_how_large_it_is(template: Scenario) -> None:
    shown = template.outcome.metadata("publication")
    file = template.warehouse.settings.warehouse
    tables = template.warehouse.published("select schema_name, table_name from duckdb_tables()")
    rows = sum(
        template.warehouse.published(f"select count(*) from {schema}.{table}")[0][0]
        for schema, table in tables
    )
    assert (shown["bytes"], shown["tables"], shown["rows"]) == (
        file.stat().st_size,
        len(tables),
        rows,
    )
