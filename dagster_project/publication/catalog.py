"""What a published file may hold: exactly the schemas, tables, macros and comments of the project.

Anything else in it would run in the clients of its readers: a view or macro can read their files.
The project's objects are created in an empty file, so that DuckDB writes both definitions.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dagster_project.base.sql import literal
from dagster_project.transform.dbt_runner import render
from dagster_project.transform.layers import LAYERS, layer_nodes, table_name

# The ledger's tables in the file are written at publication; before, they are those of the
# publication that the file was copied from, if any.
LEDGER = frozenset({"releases", "gate_results", "publication", "decisions", "checksums"})
_STAMP = "candidate"

Catalog = Mapping[tuple[str, str], str]  # kind and name of each object, and its definition

_OBJECTS = """
select 'schema' as kind, schema_name as name, concat_ws(' ', comment, tags) as definition
from duckdb_schemas() where database_name = $name
union all
select 'table', schema_name || '.' || table_name, concat_ws(' ', sql, tags)
from duckdb_tables() where database_name = $name
union all
select 'comment on', schema_name || '.' || table_name, comment
from duckdb_tables() where database_name = $name and comment is not null
union all
select 'comment on', schema_name || '.' || table_name || '.' || column_name, comment
from duckdb_columns() where database_name = $name and comment is not null
union all
select 'view', schema_name || '.' || view_name, concat_ws(' ', sql, comment, tags)
from duckdb_views() where database_name = $name and not internal
union all
select 'index', schema_name || '.' || index_name, concat_ws(' ', sql, comment, tags)
from duckdb_indexes() where database_name = $name
union all
select 'sequence', schema_name || '.' || sequence_name, concat_ws(' ', sql, comment, tags)
from duckdb_sequences() where database_name = $name
union all
select 'type', schema_name || '.' || type_name, concat_ws(' ', logical_type, labels, comment, tags)
from duckdb_types() where database_name = $name and not internal
union all
select
    'macro',
    schema_name || '.' || function_name,
    list(concat_ws(' ', function_type, parameters, macro_definition, comment, tags))::varchar
from duckdb_functions() where database_name = $name and not internal group by 1, 2
"""


def foreign_objects(path: Path) -> list[str]:
    """Return the objects of a file that are not the project's, or not as in the project."""
    return list(_foreign(_project_catalog(), _catalog(path)))


def catalog_errors(path: Path) -> list[str]:
    """Return the differences between the objects of a whole candidate and those of the project."""
    expected, found = _project_catalog(), _catalog(path)
    missing = [
        f"the {kind} {name} is missing" for kind, name in expected if (kind, name) not in found
    ]
    return [*_foreign(expected, found), *missing]


def unsafe_objects(path: Path) -> list[str]:
    """Return the objects of a publication that no version of the project makes."""
    schemas = ("core", "marts", "audit")
    return [
        f"the {kind} {name} is none that the project makes"
        for (kind, name), definition in _catalog(path).items()
        if kind in ("view", "index", "sequence", "type")
        or (kind == "schema" and name not in ("main", *schemas))
        or (kind == "table" and name.split(".")[0] not in schemas)
        # DuckDB quotes an element of a list that has a comma, a quote or a bracket in it.
        or (kind == "macro" and not definition.startswith(("[table_macro ", "['table_macro ")))
    ]


def _foreign(expected: Catalog, found: Catalog) -> Iterator[str]:
    of_ledger = {f"audit.{table}" for table in (*LEDGER, _STAMP)}
    for (kind, name), definition in found.items():
        if kind in ("table", "comment on") and ".".join(name.split(".")[:2]) in of_ledger:
            continue
        if (kind, name) not in expected:
            yield f"the {kind} {name} is not the project's"
        elif definition != expected[kind, name]:
            yield f"the {kind} {name} is not as in the project"


def _catalog(path: Path) -> Catalog:
    """Return the objects of a file, without running any of them."""
    # Attached, since a macro of the database that is open hides DuckDB's function of that name.
    with duckdb.connect() as con:
        con.execute(f"attach {literal(str(path))} as found (read_only)")
        con.execute("set enable_external_access = false")
        rows = con.execute(_OBJECTS, {"name": "found"}).fetchall()
    return {(kind, name): definition for kind, name, definition in rows}


@cache
def _project_catalog() -> Catalog:
    """Return the objects of the project."""
    comments = {}
    # Written and read again, as a file is: DuckDB then changes the text of macros once.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "project.duckdb"
        with duckdb.connect(path) as con:
            for schema in ("core", "marts", "audit"):
                con.execute(f"create schema {schema}")
            for layer in LAYERS:
                for node in layer_nodes(layer).values() if layer.in_candidate else ():
                    table, columns = table_name(node), node["columns"].values()
                    con.execute(f"create table {table} ({', '.join(map(_column, columns))})")
                    comments[table] = node["description"]
                    comments |= {f"{table}.{each['name']}": each["description"] for each in columns}
            for statement in render("analyst_macro_statements()"):
                con.execute(statement)
        catalog = _catalog(path)
    return {**catalog, **{("comment on", name): about for name, about in comments.items()}}


def _column(column: Mapping) -> str:
    kinds = {constraint["type"] for constraint in column["constraints"]}
    return f'"{column["name"]}" {column["data_type"]}{" not null" * ("not_null" in kinds)}'
