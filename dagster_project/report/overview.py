"""The first page, and what the warehouse says of its own numbers: mirror, revisions, coverage."""

import duckdb

from dagster_project.report.answers import ask
from dagster_project.report.charts import figures as charts
from dagster_project.report.figures import Column, Figure
from dagster_project.report.pages import Page, sources_of
from dagster_project.report.studies import STUDIES, ranking_figures, verdicts


def index_page(con: duckdb.DuckDBPyConnection) -> Page:
    """Return the first page."""
    facts = ask(
        con,
        """
select (select count(*) from core.fct_royalty_observations) as observations,
       (select count(distinct source) from core.fct_royalty_observations) as sources,
       (select count(*) from core.dim_release
        where source in (select source from core.fct_royalty_observations)) as releases,
       (select count(distinct reporter_code)
        from core.fct_royalty_flows inner join core.dim_reporter using (reporter_code)
        where kind = 'country') as countries,
       (select max(release_date) from core.fct_royalty_observations) as newest_release""",
    )
    labels = {
        "observations": "numbers stated",
        "sources": "sources",
        "releases": "releases in force",
        "countries": "reporting countries",
        "newest_release": "newest release",
    }
    return Page(
        "index.html",
        "Who pays whom for the use of intellectual property",
        "Receipts, payments and balances of royalties and licence fees, as official releases state"
        " them: by country, partner, industry, kind of right and region.",
        template="index.html",
        figures=ranking_figures(con)[:2],
        more={
            "facts": Figure(
                "facts",
                "The warehouse in numbers",
                "",
                facts,
                tuple(Column(name, label, "number") for name, label in labels.items()),
                source="",
            ),
            "studies": [
                (
                    study,
                    Figure(
                        f"verdicts-{study.slug}",
                        "Statements by verdict",
                        "",
                        verdicts(con, study),
                        (
                            Column("verdict", "Verdict", "verdict"),
                            Column("statements", "Statements", "number"),
                        ),
                        source="",
                    ),
                )
                for study in STUDIES
            ],
        },
    )


def mirror_page(con: duckdb.DuckDBPyConnection) -> Page:
    """Return the page of the two sides of each flow."""
    largest = ask(
        con,
        """
with latest as (
    select receiver_code, payer_code, max(period) as period
    from marts.mart_mirror_asymmetry
    where comparison = 'both stated' and frequency = 'A' and concept = 'BPM6_SH'
    group by receiver_code, payer_code
)
select receivers.reporter_name as receiver, payers.partner_name as payer, mirror.period,
       receipts_stated_usd_m, payments_stated_usd_m, asymmetry_usd_m, asymmetry_pct,
       rounding_usd_m, currency_usd_m, method_usd_m, unexplained_usd_m,
       receipts_source, payments_source, receiver_code, payer_code
from marts.mart_mirror_asymmetry as mirror
inner join latest using (receiver_code, payer_code, period)
inner join core.dim_reporter as receivers on receiver_code = receivers.reporter_code
inner join core.dim_partner as payers on payer_code = payers.partner_code
where comparison = 'both stated' and concept = 'BPM6_SH'
order by abs(asymmetry_usd_m) desc, receiver_code, payer_code, receipts_source, payments_source
limit 40""",
    )
    figures = []
    if largest:
        first = largest.records()[0]
        series = ask(
            con,
            f"""
select period, receipts_stated_usd_m, payments_stated_usd_m, asymmetry_usd_m, asymmetry_pct,
       comparison, receipts_source, payments_source
from marts.mart_mirror_asymmetry
where receiver_code = '{first["receiver_code"]}' and payer_code = '{first["payer_code"]}'
    and receipts_source = '{first["receipts_source"]}'
    and payments_source = '{first["payments_source"]}'
    and frequency = 'A' and concept = 'BPM6_SH'
order by period""",
        )
        unit = charts.unit_of(series.values("receipts_stated_usd_m"))
        figures.append(
            Figure(
                "largest-pair",
                f"{first['receiver']} from {first['payer']}:"
                " what the one says it received, and the other that it paid",
                "by year",
                series,
                (
                    Column("period", "Year", "period"),
                    Column("receipts_stated_usd_m", "Received", "money"),
                    Column("payments_stated_usd_m", "Paid", "money"),
                    Column("asymmetry_usd_m", "Difference", "money"),
                    Column("asymmetry_pct", "%", "pct"),
                    Column("comparison", "Comparison"),
                ),
                sources_of(con, series, "receipts_source", "payments_source"),
                charts.two_sides(unit),
                "Dot chart of two series by year, joined by a line where both are stated: what the"
                " receiver says it received lies apart from what the payer says it paid. The table"
                " below has the numbers.",
                note="The table is in millions of US dollars, the percentage in relation to the"
                " mean of the two. A withheld side is suppressed by its publisher.",
            )
        )
    figures.append(
        Figure(
            "asymmetries",
            "The largest asymmetries, and what explains them",
            "millions of US dollars, latest year that both sides state",
            largest,
            (
                Column("receiver", "Receiver"),
                Column("payer", "Payer"),
                Column("period", "Year", "period"),
                Column("receipts_stated_usd_m", "Received", "money"),
                Column("payments_stated_usd_m", "Paid", "money"),
                Column("asymmetry_usd_m", "Difference", "money"),
                Column("rounding_usd_m", "Rounding", "money"),
                Column("currency_usd_m", "Exchange rate", "money"),
                Column("method_usd_m", "Method", "money"),
                Column("unexplained_usd_m", "Unexplained", "money"),
            ),
            sources_of(con, largest, "receipts_source", "payments_source"),
            note="Rounding, exchange rate and method are upper bounds of what each may explain;"
            " what goes beyond their sum is unexplained.",
        )
    )
    return Page(
        "mirror.html",
        "The two sides of a flow",
        "What one country says it received should be what the other says it paid. It rarely is.",
        figures=figures,
    )


def revisions_page(con: duckdb.DuckDBPyConnection) -> Page:
    """Return the page of how numbers moved between releases."""
    moves = ask(
        con,
        """
select source, previous_release_date, release_date, count(value) as numbers,
       count(*) filter (revision_kind = 'changed') as moved,
       round(100 * moved / nullif(numbers, 0), 1) as moved_pct,
       count(*) filter (revision_kind = 'dropped') as dropped,
       round(median(abs(change_pct)) filter (revision_kind = 'changed'), 2) as median_move_pct
from marts.mart_revisions
group by source, previous_release_date, release_date
order by source, release_date""",
    )
    sizes = ask(
        con,
        """
with sized as (
    select abs(change_pct) as move,
           case
               when move < 0.5 then 'below 0.5 %'
               when move < 1 then '0.5 to 1 %'
               when move < 5 then '1 to 5 %'
               when move < 10 then '5 to 10 %'
               when move < 50 then '10 to 50 %'
               else '50 % and more'
           end as size
    from marts.mart_revisions
    where revision_kind = 'changed' and change_pct is not null
)
select size, count(*) as revisions
from sized
group by size
order by min(move)""",
    )
    largest = ask(
        con,
        """
select reporter_name, period, flow, previous_value, value, change, change_pct, currency,
       previous_release_date, release_date, source, reporter_code
from marts.mart_revisions
inner join core.dim_reporter using (reporter_code)
where kind = 'country' and partner_code = 'WLD' and sector_code = '_T' and category_code = '_T'
    and affiliation_code = '_T' and region_code = '_T' and frequency = 'A' and currency = 'USD'
    and revision_kind = 'changed'
order by abs(change) desc, reporter_code, period, flow
limit 25""",
    )
    return Page(
        "revisions.html",
        "How numbers moved",
        "A release restates the years before it. Every vintage is kept, so that a revision is seen"
        " and what was known on a day can be asked for.",
        figures=[
            Figure(
                "moves",
                "From release to release",
                "numbers that both releases state, and those that the later one dropped",
                moves,
                (
                    Column("source", "Source"),
                    Column("previous_release_date", "From", "date"),
                    Column("release_date", "To", "date"),
                    Column("numbers", "Numbers", "number"),
                    Column("moved", "Moved", "number"),
                    Column("moved_pct", "% moved", "pct"),
                    Column("dropped", "Dropped", "number"),
                    Column("median_move_pct", "Median move, %", "number"),
                ),
                sources_of(con, moves),
            ),
            Figure(
                "sizes",
                "How far they moved",
                "number of revisions by size, in relation to the earlier value",
                sizes,
                (
                    Column("size", "Size of the revision"),
                    Column("revisions", "Revisions", "number"),
                ),
                sources_of(con, moves),
                charts.counted_bars("size", "revisions", "revisions"),
                "Bar chart of the number of revisions by their size. The table below has the"
                " numbers.",
                open=False,
            ),
            Figure(
                "largest-revisions",
                "The largest revisions of a country's total",
                "millions of US dollars",
                largest,
                (
                    Column("reporter_name", "Country", "economy"),
                    Column("period", "Year", "period"),
                    Column("flow", "Flow"),
                    Column("previous_value", "Was", "money"),
                    Column("value", "Is", "money"),
                    Column("change", "Change", "money"),
                    Column("change_pct", "%", "pct"),
                    Column("previous_release_date", "From", "date"),
                    Column("release_date", "To", "date"),
                ),
                sources_of(con, largest),
                note="A release that states three digits only makes small revisions of its own.",
            ),
        ],
    )


def coverage_page(con: duckdb.DuckDBPyConnection) -> Page:
    """Return the page of what is stated, suppressed and missing."""
    countries = ask(
        con,
        """
select period, source, flow, count(distinct reporter_code) as countries
from marts.mart_coverage
inner join core.dim_reporter using (reporter_code)
where kind = 'country' and frequency = 'A' and dimension = 'total' and figures_stated > 0
    and flow in ('receipts', 'payments') and concept = 'BPM6_SH'
    and source = (
        select source from marts.mart_world_ranking
        group by source order by count(distinct reporter_code) desc, source limit 1
    )
group by period, source, flow
order by period, flow desc""",
    )
    breakdowns = ask(
        con,
        """
select source, dimension, count(distinct reporter_code) as reporters,
       min(period) as first_period, max(period) as last_period,
       sum(figures_stated) as stated, sum(figures_suppressed) as suppressed,
       sum(figures_missing) as missing,
       round(100 * sum(figures_stated)
             / sum(figures_stated + figures_suppressed + figures_missing), 1) as stated_pct
from marts.mart_coverage
group by source, dimension
order by source, dimension""",
    )
    source = countries.first("source")
    return Page(
        "coverage.html",
        "What is covered",
        "What releases state, what their publishers suppress, and what is missing. Neither of the"
        " last two is zero.",
        figures=[
            Figure(
                "countries",
                "Countries that state their receipts and payments",
                f"number of countries by year, {source}" if source else "",
                countries,
                (
                    Column("period", "Year", "period"),
                    Column("flow", "Flow"),
                    Column("countries", "Countries", "number"),
                ),
                sources_of(con, countries),
                charts.countries_over_time(),
                "Line chart of the number of countries that state their receipts, and of those that"
                " state their payments, by year. The table below has the numbers.",
                open=False,
            ),
            Figure(
                "breakdowns",
                "By source and breakdown",
                "figures of the latest releases",
                breakdowns,
                (
                    Column("source", "Source"),
                    Column("dimension", "Breakdown"),
                    Column("reporters", "Reporters", "number"),
                    Column("first_period", "First", "period"),
                    Column("last_period", "Last", "period"),
                    Column("stated", "Stated", "number"),
                    Column("suppressed", "Suppressed", "number"),
                    Column("missing", "Missing", "number"),
                    Column("stated_pct", "% stated", "pct"),
                ),
                source="",
            ),
        ],
    )
