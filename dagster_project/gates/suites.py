"""The suites: `expectations/<schema>/<table>.json`, one a table, plain JSON.

A suite file holds `name`, `meta.lineage` (the columns that name a failing row), and `expectations`
in Great Expectations' own form. Each has a `description`, and in its `meta` its `kind` (from which
the severity follows) and `ground` (docs/gate-policy.md), and `fix`, what to do when it fails. A
list of codes is asked for with `{"$PARAMETER": "economy_codes"}`, and inside SQL with
`$economy_codes`; a list of rows is a relation there. `$mark` is the regular expression of a mark
that takes the place of a figure, `$unmapped` the whole query of "every code is mapped"; `$previous`
is the same table in the current release before this one. `$tolerance` is how far a sum of the
column `value` over a group's rows may lie from zero by rounding: the dbt macro `tolerance_of_sum`.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from jinja2 import Environment

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.base.sql import literal_list
from dagster_project.workbench.gate_results import LIST, PLAUSIBILITY, STRUCTURE

EXPECTATIONS = PROJECT_ROOT / "expectations"
NUMBERS = PROJECT_ROOT / "dbt" / "macros" / "numbers.sql"

SEVERITIES = {STRUCTURE: "critical", LIST: "warning", PLAUSIBILITY: "critical"}

# What publishers put in the place of a figure: `..`, `-`, `(D)`, `[c]`, `[r][e]`, `n.a.`, `x`. Any
# other text there is no mark but a broken file. (Braces are doubled: GX formats the queries.)
MARK = (
    r"[-:*/~†‡–—…]|[.]{{1,5}}|[A-Za-z]{{1,2}}|(\[[A-Za-z]{{1,4}}\])+"  # noqa: RUF001 - dashes
    r"|\([A-Za-z*#]{{1,3}}\)|[nN][./]?[aA][.]?"
)

# How many rows of the common shape of observations have a code that no map knows, by dimension.
_DIMENSIONS = ("reporter", "partner", "sector", "category", "affiliation", "region")
_CODES = [f"{dimension}_code" for dimension in _DIMENSIONS]
UNMAPPED = f"""
    select column_name, '_U' as code, count(*) as rows_found
    from (
        select unnest([{", ".join(f"case {code} when '_U' then '{code}' end" for code in _CODES)}])
            as column_name
        from {{batch}} where '_U' in ({", ".join(_CODES)})
    ) as unmapped
    where column_name is not null group by column_name order by rows_found desc, column_name
"""


def suite_path(table_name: str, root: Path = EXPECTATIONS) -> Path:
    """Return the file of the suite of `<schema>.<table>`."""
    schema, table = table_name.split(".")
    return root / schema / f"{table}.json"


def tables_with_suites(schemas: Sequence[str], root: Path = EXPECTATIONS) -> list[str]:
    """Return `<schema>.<table>` of every suite of these schemas."""
    return [
        f"{schema}.{path.stem}"
        for schema in schemas
        for path in sorted((root / schema).glob("*.json"))
    ]


def load_suite(
    table_name: str,
    parameters: Mapping[str, Sequence[Any]],
    root: Path = EXPECTATIONS,
    previous: str | None = None,
) -> dict[str, Any]:
    """Return a suite as the arguments of `ExpectationSuite`. Raises FileNotFoundError.

    previous: the query that gives the release before; none, and `$previous` has no rows.
    """
    suite = json.loads(suite_path(table_name, root).read_text("utf-8"))
    literals = {name: _literal(listed) for name, listed in parameters.items()}
    literals |= {"mark": f"'{MARK}'", "unmapped": UNMAPPED, "tolerance": tolerance_of_sum()}
    literals["previous"] = f"({previous or f'select * from {table_name} where false'})"
    for expectation in suite["expectations"]:
        query = expectation["kwargs"].get("unexpected_rows_query")
        if query:
            expectation["kwargs"]["unexpected_rows_query"] = Template(query).safe_substitute(
                literals
            )
    return suite


def _literal(listed: Sequence[Any]) -> str:
    """A list in SQL: `('A', 'B')` of codes, `(values (…), (…))` of rows of texts and dates."""
    if listed and isinstance(listed[0], tuple):
        return f"(values {', '.join(map(literal_list, listed))})"
    return literal_list(listed or [""])  # an empty list is no SQL


@cache
def tolerance_of_sum() -> str:
    """The SQL of the dbt macro of this name: models, data tests and suites share one tolerance."""
    macros: Any = Environment().from_string(NUMBERS.read_text("utf-8")).module
    return str(macros.tolerance_of_sum())
