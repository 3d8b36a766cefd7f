"""Generates the data dictionary, `docs/data-dictionary.md`, from the dbt descriptions."""

from collections.abc import Iterator, Mapping
from typing import Any

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.transform.dbt_runner import manifest

DICTIONARY = PROJECT_ROOT / "docs" / "data-dictionary.md"

_SCHEMAS = {
    "marts": "What people ask for. Start here.",
    "core": "The star schema: every number ever stated, and the latest of each.",
    "audit": "The ledger: what was loaded, checked and published.",
}


def data_dictionary() -> str:
    """Return the page: every table and column of the published file, with its description."""
    return "\n".join(_lines()) + "\n"


def write_data_dictionary() -> None:
    """Write the page."""
    DICTIONARY.write_text(data_dictionary(), "utf-8")


def _lines() -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield "Every table and column of `royalty_flows.duckdb`. Written by `make docs` from the"
    yield "descriptions in `dbt/`; the same texts are the comments in the file"
    yield "(`duckdb_tables()`, `duckdb_columns()`)."
    for schema, about in _SCHEMAS.items():
        yield ""
        yield f"## {schema}"
        yield ""
        yield about
        for node in sorted(_published(schema), key=lambda node: node["name"]):
            yield from _table(schema, node)


def _published(schema: str) -> list[Mapping[str, Any]]:
    nodes = [*manifest()["nodes"].values(), *manifest()["sources"].values()]
    return [
        node
        for node in nodes
        if node["schema"] == schema and node["resource_type"] in ("model", "source")
    ]


def _table(schema: str, node: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"### {schema}.{node['name']}"
    yield ""
    yield _one_line(node["description"])
    yield ""
    yield "| column | type | description |"
    yield "|---|---|---|"
    for column in node["columns"].values():
        type_ = (column.get("data_type") or "").lower()
        yield f"| `{column['name']}` | {type_} | {_one_line(column['description'])} |"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
