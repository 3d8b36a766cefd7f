"""What a page is made of, and queries that several pages share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import duckdb

from dagster_project.base.sql import literal
from dagster_project.report.answers import Answer, ask
from dagster_project.report.figures import Column, Figure

MONEY = (
    Column("receipts_usd_m", "Receipts", "money"),
    Column("payments_usd_m", "Payments", "money"),
    Column("balance_usd_m", "Balance", "money"),
)
SOURCES_DIFFER = (
    "The table is in millions of US dollars and names the source of each year: a line is broken"
    " where a year is not stated."
)


@dataclass(frozen=True)
class Statement:
    """What a text says, in our words, and the figure with what the releases say."""

    id: str
    sentence: str
    figure: Figure


@dataclass(frozen=True)
class Page:
    """A page of the site. `section` is the page that the navigation shows as the present one."""

    path: str
    title: str
    about: str
    template: str = "figures.html"
    kicker: str = ""
    section: str = ""
    text: tuple[str, ...] = ()
    figures: list[Figure] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def has_charts(self) -> bool:
        """Whether the page needs the charts' JavaScript."""
        return any(figure.spec and figure.answer for figure in self.figures)


def balance_series(con: duckdb.DuckDBPyConnection, reporter: str) -> Answer:
    """Ask for a reporter's yearly totals with the world, of the preferred source of each year."""
    return ask(
        con,
        f"""
select period, receipts_usd_m, payments_usd_m, balance_usd_m,
       receipts_growth_pct, payments_growth_pct, source
from marts.mart_balance_by_partner
where reporter_code = {literal(reporter)} and partner_code = 'WLD'
    and frequency = 'A' and concept = 'BPM6_SH' and preferred
order by period""",
    )


def sources_of(con: duckdb.DuckDBPyConnection, answer: Answer, *columns: str) -> str:
    """Name the sources that an answer's column `source` (or those given) has, with releases."""
    names = sorted(
        {
            value
            for column in columns or ("source",)
            for value in answer.values(column)
            if value is not None
        }
    )
    titles = _titles(con)
    return "; ".join(titles[name] for name in names)


@cache
def _titles(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    found = ask(
        con,
        """
select source, publisher, title, releases_are, max(release_date) as latest
from core.dim_source inner join core.dim_release using (source)
group by source, publisher, title, releases_are""",
    )
    return {
        source: f"figures stated in public texts ({source})"
        if releases_are == "additive"
        else f"{publisher}, {title} ({source}, release of {latest})"
        for source, publisher, title, releases_are, latest in found.rows
    }
