"""The additional SDMX source of docs/sdmx.md: complete, in under a hundred lines."""

import re
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.transform.dbt_runner import DBT_PROJECT
from tests.layouts.layout_reader import read

PAGE = (PROJECT_ROOT / "docs" / "sdmx.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{re.escape(language)}\n(.*?)```", PAGE, re.DOTALL)


def rendered(model: str) -> str:
    """A model's SQL as dbt renders it, with sources and models by their plain names."""
    macros = [path.read_text("utf-8") for path in sorted(DBT_PROJECT.glob("macros/**/*.sql"))]
    jinja = jinja2.Environment(extensions=["jinja2.ext.do"])
    jinja.globals.update(
        ref=lambda name: name, source=lambda schema, table: f"{schema}.{table}", none=None
    )
    return jinja.from_string("".join([*macros, model])).render()


def test_the_source_that_the_page_adds_takes_under_a_hundred_lines() -> None:
    (module,), (staging, intermediate) = blocks("python"), blocks("sql+jinja")
    lines = sum(part.count("\n") for part in (module, staging, intermediate))
    assert f"The example, in {lines} lines," in PAGE
    assert lines < 100


def test_the_source_that_the_page_adds_reads_the_file_that_it_shows(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (module,), (staging, intermediate) = blocks("python"), blocks("sql+jinja")
    path = tmp_path / "made_up.csv"
    path.write_text(blocks("csv")[0])
    names: dict[str, Any] = {}
    exec(module, names)
    source = names["SOURCE"]
    extract = read(con, path, source.layouts)
    assert (extract.rows_read, extract.rows_kept) == (3, 2)
    found = extract.rows  # noqa: F841 - DuckDB finds the relation by this name
    con.execute("create schema raw")
    con.execute("create schema audit")
    con.execute(
        """
        create table raw.fund_of_x__observations as
        select
            *, 'fund_of_x' as _source, date '2026-01-02' as _release, 'made_up.csv' as _file,
            timestamp '2026-01-03' as _loaded_at
        from found
        """
    )
    con.execute(
        "create table audit.releases as select 'accepted' as status, 'fund_of_x' as source,"
        " date '2026-01-02' as release_date, 'made_up.csv' as file_name,"
        " timestamp '2026-01-03' as loaded_at"
    )
    for seed in DBT_PROJECT.glob("seeds/*.csv"):
        header = seed.read_text("utf-8").partition("\n")[0].strip().split(",")
        dates = {"valid_from", "valid_to"}
        types = {name: "DATE" if name in dates else "VARCHAR" for name in header}
        con.read_csv(str(seed), dtype=types).create(seed.stem)
    con.execute(
        "create table int_economies as select 'USA' as economy_code, 'US' as iso2"
        " union all select 'WLD', null"
    )
    con.execute("create table int_regions as select '_T' as region_code")
    con.execute(f"create view stg_fund_of_x__observations as {rendered(staging)}")
    facts = con.sql(rendered(intermediate)).select(
        "reporter_code, partner_code, category_code, period, flow, value, currency, obs_status,"
        " conf_status, row_number"
    )
    usa = ("USA", "WLD", "SH", "2019")
    assert facts.order("row_number").fetchall() == [
        (*usa, "receipts", 128950, "USD", "A", "F", 2),  # billions there, millions here
        (*usa, "payments", None, "USD", "Q", "C", 4),
    ]
