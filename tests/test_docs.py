"""The documentation is correct: queries with their output, links, dictionary."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jinja2 import Environment

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.transform.docs.dictionary import DICTIONARY, data_dictionary
from tests.layouts.layout_reader import read
from tests.support import Scenario

QUERIED = [
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "docs" / "analysts.md",
    PROJECT_ROOT / "docs" / "exchange-rates.md",
    PROJECT_ROOT / "docs" / "tracing-numbers.md",
    PROJECT_ROOT / "docs" / "claims.md",
]
PAGES = [
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "CONTRIBUTING.md",
    PROJECT_ROOT / "landing" / "README.md",
    *sorted((PROJECT_ROOT / "docs").glob("*.md")),
]
SHOWN = re.compile(r"```sql\n(?P<sql>.*?)```\n\n(?P<table>(?:\|[^\n]*\n)+)", re.DOTALL)
ADDING = PROJECT_ROOT / "docs" / "adding-a-source.md"
HAS_FIGURE = PROJECT_ROOT / "dbt" / "macros" / "numbers" / "has_figure.sql"
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<target>[^)#\s]+)")


def queries() -> list[tuple[str, str, str]]:
    """Page and number, query, and the table below it, of every query with its output."""
    return [
        (f"{page.name}, {number}", found["sql"], found["table"])
        for page in QUERIED
        for number, found in enumerate(SHOWN.finditer(page.read_text("utf-8")), 1)
    ]


def as_markdown(rows: duckdb.DuckDBPyRelation) -> str:
    """A query's answer as the pages show it."""
    lines = [rows.columns, *([_cell(value) for value in row] for row in rows.fetchall())]
    head, *body = [f"| {' | '.join(cells)} |\n" for cells in lines]
    return "".join([head, "|" + "---|" * len(rows.columns) + "\n", *body])


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case Decimal():  # six decimals and any further stated ones, without the type's zeros
            shown = f"{value:f}"
            whole, _, decimals = shown.partition(".")
            return f"{whole}.{decimals[:6]}{decimals[6:].rstrip('0')}" if decimals else shown
    return str(value)


def test_every_query_has_its_output_below_it() -> None:
    blocks = sum(page.read_text("utf-8").count("```sql\n") for page in QUERIED)
    assert len(queries()) == blocks > len(QUERIED)


@pytest.mark.parametrize(
    ("sql", "table"), [(sql, table) for _, sql, table in queries()], ids=[q[0] for q in queries()]
)
def test_a_query_gives_the_output_shown_below_it(real: Scenario, sql: str, table: str) -> None:
    with duckdb.connect(real.warehouse.settings.warehouse, read_only=True) as con:
        assert as_markdown(con.sql(sql)) == table


def test_the_source_that_the_page_adds_reads_the_file_that_it_shows(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    text = ADDING.read_text("utf-8")
    module, csv, staging = (
        text.partition(f"```{language}\n")[2].partition("```")[0]
        for language in ("python", "csv", "sql+jinja")
    )
    names: dict[str, Any] = {}
    exec(module, names)
    file = tmp_path / "shown.csv"
    file.write_text(csv)
    extract = read(con, file, names["SOURCE"].layouts)
    assert (extract.rows_read, extract.rows_kept) == (3, 2)
    lineage = "'bank_of_x' as _source, date '2021-06-30' as _release, 'shown.csv' as _file"
    extract.rows.project(f"*, {lineage}").create_view("raw_rows")
    model = Environment().from_string(HAS_FIGURE.read_text("utf-8") + staging)
    macros = {"source": lambda *_: "", "accepted_rows": lambda _: "select * from raw_rows"}
    rows = con.sql(model.render(macros))
    assert set(rows.columns) > {"source", "release_date", "file_name", "row_number", "column_name"}
    columns = "country, flow, period, value::double, rounding::double, obs_status, conf_status"
    assert rows.order("country, period").select(columns).fetchall() == [
        ("All countries", "receipts", "2019", 110.0, 0.1, "A", "F"),
        ("All countries", "receipts", "2020", 120.0, 0.1, "A", "F"),
        ("Germany", "receipts", "2019", None, None, "Q", "C"),
        ("Germany", "receipts", "2020", 45.5, 0.1, "A", "F"),
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(page.read_text("utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_data_dictionary_is_that_of_the_models() -> None:
    assert DICTIONARY.read_text("utf-8") == data_dictionary()


def test_every_table_and_column_of_the_published_file_has_a_comment(real: Scenario) -> None:
    for catalog in ("duckdb_tables()", "duckdb_columns()"):
        assert (
            real.warehouse.published(
                f"select schema_name, table_name from {catalog}"
                " where not internal and coalesce(comment, '') = ''"
            )
            == []
        )
