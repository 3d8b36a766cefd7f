"""Cases: changes that break one expectation each, and the run that shows it.

The cases of seeds, core, marts and of tables with several sources are in `tests.gates.cases`; those
of a source are `CASES` in `tests/sources/test_<source>.py`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from dagster_project.base.settings import Settings
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.gates.suite_files import read_suite, tables_with_suites
from dagster_project.sources import all_sources

FIRST = "row_number() over () = 1"
LAYERS = ("raw", "seeds", "staging", "intermediate", "core", "marts")
MODEL_LAYERS = LAYERS[1:]


@dataclass(frozen=True)
class Case:
    """One change that breaks one expectation: a query on the good table, or on the one before.

    `row` is what the gate's failing rows must name, where the expectation can name a row. `also`
    names other expectations that the same change always breaks. An expectation is named by its
    description, or by how that begins.
    """

    table: str
    expectation: str
    query: str
    row: str | None = None
    also: tuple[str, ...] = ()
    previous: str | None = None

    def __str__(self) -> str:
        return f"{self.table}: {self.expectation}"

    def resolved(self) -> "Case":
        """The same case, with whole descriptions."""
        return replace(
            self,
            expectation=described(self.table, self.expectation),
            also=tuple(described(self.table, other) for other in self.also),
        )


def cases(
    table: str, broken: Mapping[str, str | Sequence[str]], *, also: tuple[str, ...] = ()
) -> list[Case]:
    """The cases of one table: for each expectation one query or several."""
    return [
        Case(table, expectation, query, also=also)
        for expectation, queries in broken.items()
        for query in ([queries] if isinstance(queries, str) else queries)
    ]


def described(table: str, start: str) -> str:
    """The description in a table's suite that is or begins with a text."""
    all_ = descriptions(table)
    if start in all_:
        return start
    found = [description for description in all_ if description.startswith(start)]
    assert len(found) == 1, f"{len(found)} expectations of {table} begin with {start!r}"
    return found[0]


def cells(table: str, where: str, **values: str) -> str:
    """The table with other values (SQL) in columns of the rows that a condition picks."""
    changed = ", ".join(
        f'case when {where} then {value} else "{column}" end as "{column}"'
        for column, value in values.items()
    )
    return f"select * replace ({changed}) from {table}"


def twice(table: str, where: str, **different: str) -> str:
    """The table with one row twice, the second time with other values (SQL)."""
    replaced = ", ".join(f'{value} as "{column}"' for column, value in different.items())
    second = f"* replace ({replaced})" if replaced else "*"
    return (
        f"select * from {table} union all by name"
        f" (select {second} from {table} where {where} limit 1)"
    )


def few(table: str, rows: int = 0) -> str:
    """The table with only its first rows."""
    return f"select * from {table} limit {rows}"


def many(table: str, rows: int) -> str:
    """The table's first row, repeated; a row of NULLs if the table is empty."""
    first = f"(select good.* from (select 1) left join {table} as good on true limit 1)"
    return f"select first.* from {first} as first, range({rows})"


def generic_cases() -> Iterator[Case]:
    """A case for each expectation whose arguments show how to break it."""
    for table in tables_with_suites(LAYERS):
        for expectation in read_suite(table)["expectations"]:
            if query := _generic(table, expectation):
                yield Case(table, expectation["description"], query)


def range_cases() -> Iterator[Case]:
    """Two cases for each range of a figure: one below it, one above."""
    for table in tables_with_suites(LAYERS):
        for expectation in read_suite(table)["expectations"]:
            query = expectation["kwargs"].get("unexpected_rows_query", "")
            if bounds := re.search(r"where value not between (\S+) and (\S+)", query):
                for outside in (f"{bounds[1]} - 1", f"{bounds[2]} + 1"):
                    yield Case(
                        table, expectation["description"], cells(table, FIRST, value=outside)
                    )


def previous_cases() -> Iterator[Case]:
    """Cases for the expectations on raw tables that compare with the release before.

    That one has twice the records, or other codes than the good one in every record.
    """
    for table in tables_with_suites(["raw"]):
        for expectation in read_suite(table)["expectations"]:
            query = expectation["kwargs"].get("unexpected_rows_query", "")
            if "$previous" not in query:
                continue
            good = f"select * from {table} where {newest(table)}"
            previous = f"{good} union all {good}"
            if code := re.search(r"distinct (\w+)", query):
                made_up = f"'made up ' || row_number() over () as {code[1]}"
                previous = f"select * replace ({made_up}) from ({good})"
            yield Case(table, expectation["description"], good, previous=previous)


def newest(table: str) -> str:
    """The condition that picks a raw table's newest release: a gate sees one release."""
    return f"_release = (select max(_release) from {table})"


def first_row(table: str) -> str:
    """The condition that picks one row of a raw table's newest release."""
    return f"rowid = (select min(rowid) from {table} where {newest(table)})"


def _generic(table: str, expectation: dict[str, Any]) -> str | None:
    arguments = expectation["kwargs"]
    column = arguments.get("column")
    description = expectation["description"]
    match expectation["type"]:
        case "expect_table_row_count_to_be_between":
            too_many = arguments.get("max_value", 0) + 1
            return few(table) if arguments["min_value"] else many(table, too_many)
        case "expect_column_values_to_not_be_null" if table.startswith("raw."):
            return cells(table, first_row(table), **{column: "null"})
        case "expect_column_values_to_not_be_null":
            return cells(table, FIRST, **{column: "null"})
        case "expect_column_values_to_be_in_set":
            return cells(table, FIRST, **{column: "'made up'"})
        case "expect_column_values_to_be_between":
            return cells(table, FIRST, **{column: str(arguments["min_value"] - 1)})
    if description == "every code is mapped":
        return cells(table, FIRST, region_code="'_U'")
    if description.startswith("no blank before or after a text: "):
        first = description.removeprefix("no blank before or after a text: ").split(", ")[0]
        blank = f"select * replace (' x' as {first}) from ({many(table, 1)})"
        return f"select * from {table} union all {blank}"
    return None


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case: those of `tests.gates.cases`, of the sources' modules, and generic ones."""
    import tests.sources
    from tests.gates.cases import CASES

    modules = [
        import_module(f"{tests.sources.__name__}.{module.name}")
        for module in iter_modules(tests.sources.__path__)
        if module.name.removeprefix("test_") in all_sources()
    ]
    written = [
        case.resolved()
        for case in [*CASES, *(case for module in modules for case in getattr(module, "CASES", []))]
    ]
    covered = {(case.table, case.expectation) for case in written}
    generic = [case for case in generic_cases() if (case.table, case.expectation) not in covered]
    return (*written, *generic, *range_cases(), *previous_cases())


@cache
def descriptions(table: str) -> tuple[str, ...]:
    """The descriptions in the suite of a table."""
    return tuple(expectation["description"] for expectation in read_suite(table)["expectations"])


def expectations_of(schemas: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return table and description of each expectation in the suite files."""
    for table in tables_with_suites(schemas):
        for description in descriptions(table):
            yield table, description


def failed_by(
    database: Path,
    table: str,
    query: str,
    previous: str | None = None,
    release: date | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the details of the expectations that fail on a query, by their description."""
    (result,) = run_suites(
        database, [Batch("made up", table, query, release, previous)], Settings()
    )
    return {detail["expectation"]: detail for detail in result.details if not detail["success"]}
