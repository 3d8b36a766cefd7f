"""The downloads equal the published file, and are swapped together with it."""

import json
import os
from typing import Any

import duckdb
import pytest
from frictionless import Package

from dagster_project.base.hashing import file_sha256
from dagster_project.publication import kept_files
from dagster_project.publication.exports import DESCRIPTOR
from dagster_project.publication.kept_files import publication_id
from dagster_project.publication.publish import reconcile
from dagster_project.publication.rollback import roll_back
from tests.support import Scenario, Warehouse


def descriptor(warehouse: Warehouse) -> dict[str, Any]:
    found = warehouse.settings.exports / "current" / DESCRIPTOR
    return json.loads(found.read_text("utf-8"))


def publish_again(warehouse: Warehouse) -> str:
    warehouse.restore_candidate()
    return warehouse.publish_candidate().publication_id


def test_the_data_package_is_one(template: Scenario) -> None:
    folder = template.warehouse.settings.exports / "current"
    package = Package.from_descriptor(str(folder / DESCRIPTOR))  # raises if it is not valid
    assert package.name == "royalty-flows"
    assert {resource.path for resource in package.resources} == {
        path.name for path in folder.glob("*.parquet")
    }


def test_every_table_of_core_and_marts_can_be_downloaded(template: Scenario) -> None:
    tables = template.warehouse.published(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where schema_name in ('core', 'marts')"
    )
    assert sorted(resource["name"] for resource in descriptor(template.warehouse)["resources"]) == (
        sorted(name for (name,) in tables)
    )


def test_the_order_of_every_table_is_total_so_that_the_same_data_give_the_same_bytes(
    template: Scenario,
) -> None:
    compiled = template.warehouse.settings.warehouse_dir / "dbt_target" / "compiled"
    with duckdb.connect(template.warehouse.settings.warehouse, read_only=True) as con:
        for resource in descriptor(template.warehouse)["resources"]:
            name = resource["name"].split(".")[1]
            (model,) = compiled.rglob(f"{name}.sql")
            order = model.read_text().rpartition("order by")[2]
            assert con.sql(
                f"select count(*) = count(distinct ({order})) from {resource['name']}"
            ).fetchone() == (True,), name


def test_a_file_holds_the_rows_and_types_of_its_table_in_its_order(template: Scenario) -> None:
    folder = template.warehouse.settings.exports / "current"
    with duckdb.connect(template.warehouse.settings.warehouse, read_only=True) as con:
        for resource in descriptor(template.warehouse)["resources"]:
            name, path = resource["name"], folder / resource["path"]
            assert con.sql(f"from '{path}'").fetchall() == con.sql(f"from {name}").fetchall(), name
            assert (
                con.sql(f"describe from '{path}'").project("column_name, column_type").fetchall()
                == con.sql(f"describe from {name}").project("column_name, column_type").fetchall()
            )
            assert resource["hash"] == f"sha256:{file_sha256(path)}"
            assert resource["bytes"] == path.stat().st_size
            assert (resource["rows"],) == con.sql(f"select count(*) from {name}").fetchone()


def test_descriptions_are_in_the_package_and_in_the_files(template: Scenario) -> None:
    folder = template.warehouse.settings.exports / "current"
    for resource in descriptor(template.warehouse)["resources"]:
        assert resource["description"]
        about = {field["name"]: field["description"] for field in resource["schema"]["fields"]}
        assert all(about.values())
        with duckdb.connect() as con:
            facts = {
                key.decode(): value.decode()
                for key, value in con.execute(
                    "select key, value from parquet_kv_metadata(?)",
                    [str(folder / resource["path"])],
                ).fetchall()
            }
        assert facts["description"] == resource["description"]
        assert json.loads(facts["columns"]) == about
        assert facts["publication"] == publication_id(template.warehouse.settings)


def test_every_source_with_a_release_has_its_licence_and_citation(template: Scenario) -> None:
    sources = descriptor(template.warehouse)["sources"]
    assert [source["name"] for source in sources] == [
        name
        for (name,) in template.warehouse.published(
            "select distinct source from core.dim_release order by 1"
        )
    ]
    assert all(source["licence"] and source["citation"] for source in sources)


def test_downloads_can_be_switched_off(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_DOWNLOADS", "false")
    before = publication_id(warehouse.settings)
    fresh = publish_again(warehouse)
    assert publication_id(warehouse.settings) == fresh
    assert [path.name for path in warehouse.settings.exports.iterdir()] == [before]


def test_downloads_follow_publication_rollback_and_pruning(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_KEEP_PUBLICATIONS", "2")
    exports = warehouse.settings.exports
    first = publication_id(warehouse.settings)
    second = publish_again(warehouse)
    assert os.readlink(exports / "current") == second
    assert descriptor(warehouse)["version"] == second
    roll_back(warehouse.settings, first)
    assert os.readlink(exports / "current") == first
    third = publish_again(warehouse)
    assert sorted(path.name for path in exports.iterdir()) == [second, third, "current"]


def test_the_next_run_repairs_a_crash_between_file_and_downloads(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    exports = warehouse.settings.exports
    with monkeypatch.context() as patched:
        patched.setattr(kept_files, "activate_exports", crash)
        with pytest.raises(KeyboardInterrupt):
            publish_again(warehouse)
    assert os.readlink(exports / "current") != publication_id(warehouse.settings)
    reconcile(warehouse.settings)
    assert os.readlink(exports / "current") == publication_id(warehouse.settings)


def test_a_publication_without_kept_downloads_shows_none(warehouse: Warehouse) -> None:
    exports = warehouse.settings.exports
    present = publication_id(warehouse.settings)
    (exports / str(present)).rename(exports / "away")
    reconcile(warehouse.settings)
    assert not (exports / "current").is_symlink()
