"""The downloads of a publication: its tables as Parquet, with a Frictionless data package.

`exports/<publication>/` holds those of each kept publication, and the symlink `exports/current`
points to the live one, or is a copy of it where the file system has no symlinks. Everything comes
from the publication's own file, including comments, so downloads and file agree. Rows have the
order that the table's model fully defines: the same data give the same bytes, and a reader of one
economy skips the others.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.base.durable_files import remove, replace_folder
from dagster_project.base.hashing import file_sha256
from dagster_project.base.private_files import public_folder
from dagster_project.base.settings import PUBLISHED_FILE, Settings
from dagster_project.base.sql import literal
from dagster_project.publication.signature import sign
from dagster_project.transform.dbt_runner import manifest

if TYPE_CHECKING:
    from minisign import SecretKey

# Key columns of each table, `<schema>.<table>`.
Keys = Mapping[str, Sequence[str]]

DESCRIPTOR = "datapackage.json"
_CURRENT = "current"

# https://specs.frictionlessdata.io/table-schema/#types-and-formats
_FIELD_TYPES = {
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "datetime",
    "BOOLEAN": "boolean",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DOUBLE": "number",
}


def table_keys() -> dict[str, list[str]]:
    """Return the key columns of each published table, from its data test of uniqueness."""
    keys: dict[str, list[str]] = {}
    nodes = manifest()["nodes"]
    for test in nodes.values():
        kind = (test.get("test_metadata") or {}).get("name")
        if kind in ("unique", "unique_combination_of_columns"):
            table = nodes[test["attached_node"]]
            columns = test["test_metadata"]["kwargs"].get("columns") or [test["column_name"]]
            keys.setdefault(f"{table['schema']}.{table['name']}", columns)
    return keys


def partition_orders() -> dict[str, str]:
    """Return the order of each table whose model replaces partitions, as SQL: that of its model.

    New rows are at the end of the table.
    """
    return {
        f"{node['schema']}.{node['name']}": node["raw_code"].rpartition("order by")[2].strip()
        for node in manifest()["nodes"].values()
        if node["config"]["materialized"] == "incremental" and node["schema"] in ("core", "marts")
    }


def exports_of(settings: Settings, publication_id: str) -> Path:
    """Return the folder of a publication's downloads."""
    return settings.exports / publication_id


def write_exports(
    settings: Settings,
    database: Path,
    publication_id: str,
    sha256: str,
    key: "SecretKey | None" = None,
    *,
    in_order: bool = True,
) -> None:
    """Write the downloads of a publication from its file, next to the live ones.

    sha256: of that file. key: signs the data package, which has the SHA-256 of every download.
    in_order: whether every table has the order of its model: not if partitions were replaced.
    """
    folder = exports_of(settings, publication_id)
    fresh = folder.with_suffix(".new")
    public_folder(settings.exports)
    settings.readers.may_read(settings.exports)
    fresh.mkdir()
    keys = table_keys()
    orders = {} if in_order else partition_orders()
    with duckdb.connect(database, read_only=True, config=settings.duckdb_config) as con:
        resources = [
            _write_table(
                con,
                fresh,
                f"{schema}.{table}",
                keys,
                publication_id,
                orders.get(f"{schema}.{table}"),
            )
            for schema, table in con.execute(
                "select schema_name, table_name from duckdb_tables()"
                " where not internal and schema_name in ('core', 'marts') order by all desc"
            ).fetchall()
        ]
        package = _package(con, publication_id, resources)
    package["database"] = {
        "path": PUBLISHED_FILE,
        "bytes": database.stat().st_size,
        "hash": f"sha256:{sha256}",
    }
    text = json.dumps(package, indent=2, ensure_ascii=False, default=str)
    (fresh / DESCRIPTOR).write_text(text + "\n", "utf-8")
    if key:
        sign(key, fresh / DESCRIPTOR, fresh / DESCRIPTOR, publication_id)
    settings.readers.may_read(fresh)
    fresh.rename(folder)


def activate_exports(settings: Settings, publication_id: str) -> None:
    """Point `exports/current` to a publication's downloads, or remove it if there are none."""
    current = settings.exports / _CURRENT
    if not exports_of(settings, publication_id).is_dir():
        remove(current)
    elif not _is_copy(current, publication_id):
        replace_folder(current, publication_id)


def _is_copy(current: Path, publication_id: str) -> bool:
    """Whether `current` is a link to a publication's downloads, or a complete copy of them."""
    if current.is_symlink():
        return os.readlink(current) == publication_id
    copied = current / DESCRIPTOR
    live = current.with_name(publication_id) / DESCRIPTOR
    return copied.is_file() and copied.read_bytes() == live.read_bytes()


def prune_exports(settings: Settings, kept: set[str]) -> None:
    """Delete the downloads of publications that are no longer kept, and leftovers of a crash."""
    for folder in settings.exports.glob("*"):
        if folder.is_dir() and not folder.is_symlink() and folder.name not in {_CURRENT, *kept}:
            shutil.rmtree(folder)


def _write_table(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    table: str,
    keys: Keys,
    publication_id: str,
    order: str | None,
) -> dict[str, Any]:
    """Write one table, in its own order or another, and return its entry in the data package."""
    path = folder / f"{table}.parquet"
    schema, name = table.split(".")
    ((about_table,),) = con.execute(
        "select comment from duckdb_tables() where schema_name = ? and table_name = ?",
        [schema, name],
    ).fetchall()
    columns = con.execute(
        "select column_name, data_type, comment, is_nullable from duckdb_columns()"
        " where schema_name = ? and table_name = ? order by column_index",
        [schema, name],
    ).fetchall()
    key = list(keys[table])
    facts = {
        "description": about_table,
        "columns": json.dumps({column: about for column, _, about, _ in columns}),
        "publication": publication_id,
    }
    metadata = ", ".join(f"{fact}: {literal(value)}" for fact, value in facts.items())
    rows_in_order = f"(from {table} order by {order})" if order else table
    ((rows,),) = con.execute(
        f"copy {rows_in_order} to {literal(str(path))}"
        f" (format parquet, compression zstd, kv_metadata {{{metadata}}})"
    ).fetchall()
    nullable = {column for column, _, _, is_nullable in columns if is_nullable}
    return {
        "name": table,
        "path": path.name,
        "profile": "data-resource",
        "description": about_table,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{file_sha256(path)}",
        "rows": rows,
        "schema": {
            "fields": [_field(*column) for column in columns],
            # The specification allows no missing values in a key.
            **({} if nullable & set(key) else {"primaryKey": key}),
        },
    }


def _field(column: str, type_: str, about: str, is_nullable: bool) -> dict[str, Any]:
    """Return a column's entry in the data package."""
    return {
        "name": column,
        "type": "number" if type_.startswith("DECIMAL") else _FIELD_TYPES[type_],
        "description": about,
        "constraints": {"required": not is_nullable},
    }


def _package(
    con: duckdb.DuckDBPyConnection, publication_id: str, resources: list[dict[str, Any]]
) -> dict[str, Any]:
    ((published_at,),) = con.execute(
        "select published_at from audit.publication where publication_id = ?", [publication_id]
    ).fetchall()
    return {
        "profile": "data-package",
        "name": "royalty-flows",
        "id": f"royalty-flows-{publication_id}",
        "title": "Cross-border payments for the use of intellectual property",
        "description": "Who pays whom for the use of intellectual property, in which industry and"
        " for which kind of right, as official sources state it, with the lineage of each number."
        " Several sources state the same: filter on `preferred`, or on `source`. A total is"
        " listed beside its parts. NULL is not zero.",
        "version": publication_id,
        "created": f"{published_at.isoformat()}Z",
        "sources": list(_sources(con)),
        "resources": resources,
    }


def _sources(con: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    """Yield each source that has a current release, with its licence and how to cite it.

    Licences differ between sources, so the package as a whole names none.
    """
    found = con.execute(
        "select source, publisher, title, url, licence, citation,"
        " (select list(release_date order by release_date) from core.dim_release as releases"
        " where releases.source = sources.source) as dates"
        " from core.dim_source as sources where dates is not null order by source"
    )
    for source, publisher, title, url, licence, citation, releases in found.fetchall():
        entry = {"name": source, "title": f"{publisher}: {title}", "path": url}
        yield {
            **{name: value for name, value in entry.items() if value},
            "licence": licence,
            "citation": citation,
            "releases": releases,
        }
