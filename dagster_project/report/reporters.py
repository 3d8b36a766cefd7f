"""A page a reporter: its balance over time and its latest breakdowns."""

from collections import defaultdict
from collections.abc import Iterator

import duckdb

from dagster_project.base.sql import literal
from dagster_project.report.answers import ask
from dagster_project.report.charts import figures as charts
from dagster_project.report.figures import Column, Figure
from dagster_project.report.pages import MONEY, SOURCES_DIFFER, Page, balance_series, sources_of

_BREAKDOWNS = {
    "partner": "By partner",
    "sector": "By industry",
    "category": "By kind of right",
    "affiliation": "By relation between the firms",
    "region": "By region",
}


def reporter_path(code: str) -> str:
    """Return the place of a reporter's page on the site."""
    return f"reporters/{code}.html"


def reporter_pages(con: duckdb.DuckDBPyConnection) -> Iterator[Page]:
    """Yield the list of reporters, and the page of each."""
    reporters = ask(
        con,
        """
select reporter_code, reporter_name, region,
       max(period) as latest_year,
       arg_max(receipts_usd_m, period) as receipts_usd_m,
       arg_max(payments_usd_m, period) as payments_usd_m,
       arg_max(balance_usd_m, period) as balance_usd_m
from marts.mart_balance_by_partner
inner join core.dim_reporter using (reporter_code)
where partner_code = 'WLD' and frequency = 'A' and concept = 'BPM6_SH' and preferred
    and coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
    and kind = 'country'
group by reporter_code, reporter_name, region
order by reporter_name""",
    )
    yield Page(
        "reporters/index.html",
        "Reporters",
        "Every country that a release states anything for, with its latest year.",
        figures=[
            Figure(
                "reporters",
                "Countries",
                "millions of US dollars, latest year stated",
                reporters,
                (
                    Column("reporter_name", "Country", "economy"),
                    Column("region", "Region"),
                    Column("latest_year", "Year", "period"),
                    *MONEY,
                ),
                source="the preferred source of each country and year, named on its page",
            )
        ],
    )
    breakdowns = _latest_breakdowns(con)
    for record in reporters.records():
        yield _reporter(con, record["reporter_code"], record["reporter_name"], breakdowns)


def _latest_breakdowns(
    con: duckdb.DuckDBPyConnection,
) -> dict[str, list[tuple[str, str, str]]]:
    """Return, for each reporter, the breakdowns that it states, each with concept and period.

    Of each breakdown the latest year, or the latest other period where no year is stated.
    """
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for dimension in _BREAKDOWNS:
        total = "WLD" if dimension == "partner" else "_T"
        answer = ask(
            con,
            f"""
select reporter_code, concept, arg_max(period, (frequency = 'A', period)) as period
from marts.mart_balance_by_{dimension}
where {dimension}_code <> '{total}'
    and coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
group by reporter_code, concept
order by reporter_code, concept""",
        )
        for reporter, concept, period in answer.rows:
            found[reporter].append((dimension, concept, period))
    return found


def _reporter(
    con: duckdb.DuckDBPyConnection,
    code: str,
    name: str,
    breakdowns: dict[str, list[tuple[str, str, str]]],
) -> Page:
    series = balance_series(con, code)
    amounts = [
        value for flow in ("receipts", "payments") for value in series.values(f"{flow}_usd_m")
    ]
    figures = [
        Figure(
            "balance",
            "Receipts, payments and balance",
            "by year",
            series,
            (
                Column("period", "Year", "period"),
                *MONEY,
                Column("receipts_growth_pct", "Receipts, growth %", "pct"),
                Column("payments_growth_pct", "Payments, growth %", "pct"),
                Column("source", "Source"),
            ),
            sources_of(con, series),
            charts.balance_over_time(charts.unit_of(amounts)),
            f"Line chart of the receipts and payments of {name} with the balance as bars, by year."
            " The numbers are in the table below.",
            note=SOURCES_DIFFER,
            open=False,
        )
    ]
    for dimension, concept, period in breakdowns.get(code, []):
        figures.append(_breakdown(con, code, name, dimension, concept, period))
    return Page(
        reporter_path(code),
        name,
        f"{name}: receipts, payments and balance of charges for the use of intellectual property.",
        kicker="Reporter",
        section="reporters/index.html",
        figures=figures,
    )


def _breakdown(
    con: duckdb.DuckDBPyConnection, code: str, name: str, dimension: str, concept: str, period: str
) -> Figure:
    title = _BREAKDOWNS[dimension]
    total = "WLD" if dimension == "partner" else "_T"
    answer = ask(
        con,
        f"""
select member_code, member_name, receipts_usd_m, payments_usd_m, balance_usd_m,
       share_of_receipts_pct, share_of_payments_pct, rank_by_receipts, rank_by_payments, source
from balance_of({literal(code)}, {literal(dimension)})
where period = {literal(period)} and concept = {literal(concept)}
    and coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
order by member_code = {literal(total)},
         greatest(coalesce(receipts_usd_m, 0), coalesce(payments_usd_m, 0),
                  abs(coalesce(balance_usd_m, 0))) desc, member_code""",
    )
    parts = [
        row
        for row in answer.records()
        if row["member_code"] != total
        and (row["rank_by_receipts"] is not None or row["rank_by_payments"] is not None)
    ][:10]
    amounts = [row[f"{flow}_usd_m"] for row in parts for flow in ("receipts", "payments")]
    stated = [value for value in amounts if value is not None]
    return Figure(
        f"{dimension}-{concept.lower().replace('_', '-')}",
        f"{title}, {period}" + ("" if concept == "BPM6_SH" else f" (definition {concept})"),
        "billion US dollars" if charts.unit_of(stated) == "bn" else "million US dollars",
        answer,
        (
            Column("member_name", "Member"),
            *MONEY,
            Column("share_of_receipts_pct", "% of receipts", "pct"),
            Column("share_of_payments_pct", "% of payments", "pct"),
            Column("source", "Source"),
        ),
        sources_of(con, answer),
        charts.paired_bars(charts.unit_of(stated), "member_name") if stated else None,
        f"Bar chart of the receipts and payments of {name} {title[0].lower()}{title[1:]} in"
        f" {period}: the largest members. All are in the table below.",
        note="The table is in millions of US dollars; the last row is the total."
        " Groups overlap with their members: never add the rows up.",
        open=len(answer.rows) <= 12,  # noqa: PLR2004
        chart_rows=parts,
    )
