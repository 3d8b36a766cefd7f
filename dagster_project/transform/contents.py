"""What tables hold: row count and checksum, by part.

A part is a set of rows that changes as a whole and that models read as a whole: the rows of one
source, say. A model names its parts in its `meta`, as `parts: {source: source}`: a name and an SQL
expression each. A raw table has a part per release.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from dagster_project.workbench.checksums import CHECKSUM

# Rows and checksum of each part, by the part's values joined with `|`; a whole table is part "".
Contents = Mapping[str, str]

_SEPARATOR = "|"
_OF_RAW = {"source": "_source", "release_date": "_release"}


def part_names(node: Mapping[str, Any]) -> list[str]:
    """Return the names of a table's parts; none if it is always read as a whole."""
    return list(_parts(node))


def _parts(node: Mapping[str, Any]) -> dict[str, str]:
    if node["schema"] == "raw":
        return _OF_RAW
    return dict(node.get("config", {}).get("meta", {}).get("parts", {}))


def part_of(values: Iterable[object]) -> str:
    """Return the part with these values, in the order of its table's part names."""
    return _SEPARATOR.join(map(str, values))


def part_values(part: str) -> list[str]:
    """Return the values of a part, in the order of its table's part names."""
    return part.split(_SEPARATOR)


def contents(con: duckdb.DuckDBPyConnection, table: str, node: Mapping[str, Any]) -> Contents:
    """Return what a seed's or model's table holds.

    The checksum is the sum of the rows' hashes: the order of the rows does not matter.
    """
    parts = ", ".join(f"cast({expression} as varchar)" for expression in _parts(node).values())
    key = f"concat_ws('{_SEPARATOR}', {parts})" if parts else "''"
    rows = con.execute(
        f"select {key} as part, {CHECKSUM} from {table} as whole_row group by part order by part"
    ).fetchall()
    return {part: f"{count}:{checksum}" for part, count, checksum in rows}
