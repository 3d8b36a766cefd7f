"""dbt's own documentation of the project, as one page that needs no server."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from dagster_project.transform.dbt_runner import DBT_PROJECT, manifest, manifest_path

DBT_DOCS = "dbt.html"  # the page's file name, in the report's folder


def dbt_docs(columns: Iterable[tuple[str, str, str, str]]) -> str:
    """Return the page of `dbt docs generate --static`, with the types of the published columns.

    columns: schema, table, column and type of each, in their order.

    dbt would read the types from the workbench, which may be in use, and the candidate, which has
    been renamed by then; so the page is filled in here, as `dbt.task.docs` does.
    """
    page = files("dbt.task.docs").joinpath("index.html").read_text("utf-8")
    catalog = json.dumps({"nodes": _catalog(columns), "sources": {}, "errors": None})
    # Seeds contain the path of their folder on this machine.
    nodes = manifest_path().read_text("utf-8").replace(json.dumps(str(DBT_PROJECT)), '"dbt"')
    for name, text in (("MANIFEST", nodes), ("CATALOG", catalog)):
        page = page.replace(f'"{name}.JSON INLINE DATA"', _in_script(text))
    return page


def dbt_docs_address(table: str) -> str:
    """Return the address of a seed's or model's (`<schema>.<table>`) part of the page."""
    unique_id = _unique_ids()[table]
    return f"{DBT_DOCS}#!/{unique_id.partition('.')[0]}/{unique_id}"


@cache
def _unique_ids() -> dict[str, str]:
    return {
        f"{node['schema']}.{node['name']}": unique_id
        for unique_id, node in manifest()["nodes"].items()
        if node["resource_type"] in ("model", "seed")
    }


def _catalog(columns: Iterable[tuple[str, str, str, str]]) -> dict[str, dict]:
    """Return the nodes of a catalog: https://schemas.getdbt.com/dbt/catalog/v1.json."""
    nodes: dict[str, dict] = {}
    for schema, table, column, type_ in columns:
        unique_id = _unique_ids().get(f"{schema}.{table}")
        if unique_id is None:
            continue  # the ledger's
        node = nodes.setdefault(
            unique_id,
            {
                "metadata": {"type": "BASE TABLE", "schema": schema, "name": table},
                "columns": {},
                "stats": {},
            },
        )
        index = len(node["columns"]) + 1
        node["columns"][column] = {"name": column, "type": type_, "index": index}
    return nodes


def _in_script(text: str) -> str:
    """Escape JSON so that no text in it can end the enclosing script element."""
    return text.replace("</", "<\\/")
