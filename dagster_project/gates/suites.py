"""The suites as Great Expectations runs them, with their queries' placeholders replaced.

`$batch` is the table, or one release of it; `$previous` is the same table in the previous current
release. A list of codes is `$economy_codes`, and `{"$PARAMETER": "economy_codes"}` outside a query;
a list of rows is a relation. `$mark` is the regular expression of a mark in place of a figure.
`$tolerance` is how far a sum of the column `value` over a group's rows may lie from zero by
rounding: the dbt macro `tolerance_of_sum`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from jinja2 import Environment

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.base.sql import literal_list
from dagster_project.gates.suite_files import EXPECTATIONS, read_suite
from dagster_project.sources.code_lists import code_lists

NUMBERS = PROJECT_ROOT / "dbt" / "macros" / "numbers"

# Marks that publishers use in place of a figure: `..`, `-`, `(D)`, `[c]`, `[r][e]`, `n.a.`, `x`.
# Any other text means a corrupt file.
MARK = (
    r"[-:*/~†‡–—…]|[.]{1,5}|[A-Za-z]{1,2}|(\[[A-Za-z]{1,4}\])+"  # noqa: RUF001 - dashes
    r"|\([A-Za-z*#]{1,3}\)|[nN][./]?[aA][.]?"
)


def load_suite(
    table_name: str,
    parameters: Mapping[str, Sequence[Any]],
    root: Path = EXPECTATIONS,
    previous: str | None = None,
) -> dict[str, Any]:
    """Return a suite as the arguments of `ExpectationSuite`. Raises FileNotFoundError, BadInput.

    previous: the query of the previous release; without it `$previous` has no rows.
    """
    suite = read_suite(table_name, root)
    literals = {
        "mark": f"'{MARK}'",
        "tolerance": tolerance_of_sum(),
        "previous": f"({previous or f'select * from {table_name} where false'})",
    }
    for expectation in suite["expectations"]:
        query = expectation["kwargs"].get("unexpected_rows_query")
        if query:
            used = Template(query).get_identifiers()  # lists are long, and few queries name one
            lists = {name: _literal(parameters[name]) for name in used if name in parameters}
            expectation["kwargs"]["unexpected_rows_query"] = _gx_query(query, lists | literals)
    return suite


def suite_sha256(suite: Mapping[str, Any], parameters: Mapping[str, Sequence[Any]]) -> str:
    """Return the digest of a loaded suite: of all that decides what it accepts."""
    text = json.dumps([suite, parameters], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class RequiredSuite:
    """A suite as its files are now: its digest, and the names of its expectations."""

    sha256: str
    expectations: tuple[str, ...]


def required_suite(table_name: str, root: Path = EXPECTATIONS) -> RequiredSuite:
    """Return the suite that the gate on a table of the models must have run."""
    parameters = code_lists(None)
    suite = load_suite(table_name, parameters, root)
    names = tuple(expectation["description"] for expectation in suite["expectations"])
    return RequiredSuite(suite_sha256(suite, parameters), names)


def _gx_query(query: str, literals: Mapping[str, str]) -> str:
    """Replace a query's placeholders; GX formats the query and replaces `{batch}` itself."""
    filled = Template(query).safe_substitute(literals)
    return filled.replace("{", "{{").replace("}", "}}").replace("$batch", "{batch}")


def _literal(listed: Sequence[Any]) -> str:
    """A list in SQL: `('A', 'B')` of codes, `(values (…), (…))` of rows of texts and dates."""
    if listed and isinstance(listed[0], tuple):
        return f"(values {', '.join(map(literal_list, listed))})"
    return literal_list(listed or [""])  # an empty list is not valid SQL


@cache
def tolerance_of_sum() -> str:
    """Return the SQL of the dbt macro of this name: models, tests and suites share it."""
    numbers = "".join(path.read_text("utf-8") for path in sorted(NUMBERS.glob("*.sql")))
    macros: Any = Environment().from_string(numbers).module
    return str(macros.tolerance_of_sum())
