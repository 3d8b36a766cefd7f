"""Running one suite on a changed table, and reading what failed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dagster_project.gates.suites import suite_path, tables_with_suites
from dagster_project.gates.validate import Batch, run_suites


def expectations_of(schemas: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return table and description of each expectation in the suite files."""
    for table in tables_with_suites(schemas):
        for expectation in json.loads(suite_path(table).read_text())["expectations"]:
            yield table, expectation["description"]


def failed_by(database: Path, table: str, query: str) -> dict[str, dict[str, Any]]:
    """Return the details of the expectations that fail on a query, by their description."""
    (result,) = run_suites(database, [Batch("made up", table, query)])
    return {detail["expectation"]: detail for detail in result.details if not detail["success"]}
