"""The texts that the warehouse was asked to answer: a page each, and one for every other text."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from dagster_project.base.sql import literal
from dagster_project.report.answers import Answer, ask
from dagster_project.report.charts import figures as charts
from dagster_project.report.figures import Column, Figure, cited
from dagster_project.report.pages import (
    MONEY,
    SOURCES_DIFFER,
    Page,
    Statement,
    balance_series,
    sources_of,
)

# A rank among fewer economies is no world ranking.
_WORLD = 50
# The source whose releases are texts, not series.
_TEXTS = "published_figures"


@dataclass(frozen=True)
class Study:
    """A text: its page's name, its release among the published figures, and what it is."""

    slug: str
    text_release: str
    title: str
    about: str
    kicker: str

    @property
    def path(self) -> str:
        """The page's place on the site."""
        return f"studies/{self.slug}.html"


JAPAN = Study(
    "japan-2004",
    "2004-12-31",
    "Japan: when the balance turned",
    "A Bank of Japan analysis of 2004 says that Japan's royalty balance was in surplus for the"
    " first time in 2003. What the releases of today say of it.",
    "Bank of Japan, 2004",
)
UNITED_STATES = Study(
    "united-states-2025",
    "2025-05-12",
    "The surplus of the United States",
    "A note of 2025 on World Trade Organization data ranks the receipts, payments and balances of"
    " 2022. Where the United States, Germany and China stand in the releases of today.",
    "Center for Strategic and International Studies, 2025",
)
CHINA = Study(
    "china-2018",
    "2018-12-31",
    "China in the first half of 2018",
    "A release of the State Administration of Foreign Exchange breaks China's receipts and payments"
    " down by partner, industry, kind of right and province.",
    "State Administration of Foreign Exchange, 2018",
)
STUDIES = (JAPAN, UNITED_STATES, CHINA)


def study_pages(con: duckdb.DuckDBPyConnection) -> Iterator[Page]:
    """Yield the three studies, and the page of all statements of all texts."""
    for study, figures in (
        (JAPAN, _japan(con)),
        (UNITED_STATES, _united_states(con)),
        (CHINA, _china(con)),
    ):
        yield Page(
            study.path,
            study.title,
            study.about,
            template="study.html",
            kicker=study.kicker,
            section="studies/index.html",
            figures=figures,
            statements=_statements(con, study.text_release),
        )
    yield _all_statements(con)


def verdicts(con: duckdb.DuckDBPyConnection, study: Study) -> Answer:
    """Count a text's statements by their verdicts; one with several verdicts counts in each."""
    return ask(
        con,
        f"""
select verdict, count(distinct claim_id) as statements
from marts.mart_published_claims
where text_release = date {literal(study.text_release)}
group by verdict
order by verdict""",
    )


def _statements(con: duckdb.DuckDBPyConnection, text_release: str) -> list[Statement]:
    claims = ask(
        con,
        f"""
select claim_id, sentence
from marts.mart_published_claims
where text_release = date {literal(text_release)}
group by claim_id, sentence
order by min(array_position(['contradicted', 'confirmed', 'consistent', 'no_data'], verdict)),
         claim_id""",
    )
    return [_statement(con, claim_id, sentence) for claim_id, sentence in claims.rows]


def _statement(con: duckdb.DuckDBPyConnection, claim_id: str, sentence: str) -> Statement:
    answer = ask(
        con,
        f"""
select stated_value, found_value, verdict, source, release_date, method,
       comparator, unit, unit_multiplier, rounding
from marts.mart_published_claims
where claim_id = {literal(claim_id)}
order by release_date, source""",
    )
    figure = Figure(
        f"claim-{claim_id}",
        sentence.rstrip("."),
        "",
        answer,
        (
            Column("stated_value", "The text says", "stated"),
            Column("found_value", "The warehouse finds", "found"),
            Column("verdict", "Verdict", "verdict"),
            Column("source", "Source"),
            Column("release_date", "Release", "date"),
            Column("method", "Computed from"),
        ),
        source="",
    )
    return Statement(claim_id, sentence, figure)


def _japan(con: duckdb.DuckDBPyConnection) -> list[Figure]:
    series = ask(
        con,
        """
with balances as (
    select period, receipts_usd_m, payments_usd_m, balance_usd_m, source
    from marts.mart_balance_by_partner
    where reporter_code = 'JPN' and partner_code = 'WLD'
        and frequency = 'A' and concept = 'BPM6_SH' and preferred
)
select period, receipts_usd_m, payments_usd_m, balance_usd_m, source,
       coalesce(period = (
           select min(period) from balances where balance_usd_m > 0
       ), false) as is_first_surplus
from balances
order by period""",
    )
    turned = [index for index, first in enumerate(series.values("is_first_surplus")) if first]
    unit = charts.unit_of(series.values("balance_usd_m"))
    lead = None
    if turned:
        lead = cited(
            "The first balance above zero is that of {period}: {balance_usd_m} million US dollars.",
            "japan-balance",
            series,
            turned[0],
        )
    detail = ask(
        con,
        """
select period, partner_code, category_code, receipts_usd_m, payments_usd_m, balance_usd_m,
       source, release_date
from core.fct_royalty_flows
where reporter_code = 'JPN' and concept in ('BPM6_SH', 'BPM5_ROYALTIES')
    and (partner_code in ('USA', 'CHN') or category_code in ('IND_PROP', 'COPYRIGHT', 'SH3'))
order by period, partner_code, category_code, source""",
    )
    return [
        Figure(
            "japan-balance",
            "Japan's receipts, payments and balance",
            "by year",
            series,
            (Column("period", "Year", "period"), *MONEY, Column("source", "Source")),
            sources_of(con, series),
            charts.balance_over_time(unit, "is_first_surplus"),
            "Line chart of Japan's receipts and payments with its balance as bars: a deficit in the"
            " first years, a surplus from the marked year on. The numbers are in the table below.",
            note=SOURCES_DIFFER,
            lead=lead,
            open=False,
        ),
        Figure(
            "japan-detail",
            "With the United States and China, and by kind of right",
            "millions of US dollars",
            detail,
            (
                Column("period", "Period", "period"),
                Column("partner_code", "Partner", "code"),
                Column("category_code", "Kind of right", "code"),
                *MONEY,
                Column("source", "Source"),
                Column("release_date", "Release", "date"),
            ),
            sources_of(con, detail),
            note="The series that the study itself was drawn from, by partner and kind of right,"
            " are not among the releases.",
        ),
    ]


def _united_states(con: duckdb.DuckDBPyConnection) -> list[Figure]:
    series = balance_series(con, "USA")
    lead = None
    restated = [place for place, source in enumerate(series.values("source")) if source != _TEXTS]
    if restated:
        lead = cited(
            "In {period} the United States received {receipts_usd_m} and paid {payments_usd_m}"
            " million US dollars: a balance of {balance_usd_m} million.",
            "united-states-balance",
            series,
            restated[-1],
        )
    figures = [
        Figure(
            "united-states-balance",
            "Receipts, payments and balance of the United States",
            "by year",
            series,
            (Column("period", "Year", "period"), *MONEY, Column("source", "Source")),
            sources_of(con, series),
            charts.balance_over_time(charts.unit_of(series.values("receipts_usd_m"))),
            "Line chart of the receipts and payments of the United States with the balance as bars,"
            " by year. The numbers are in the table below.",
            note=SOURCES_DIFFER,
            lead=lead,
            open=False,
        )
    ]
    return figures + ranking_figures(con)


def ranking_figures(con: duckdb.DuckDBPyConnection) -> list[Figure]:
    """Return the world ranking of the latest year that enough economies state, by each flow."""
    figures = []
    for flow, title, chosen in (
        ("receipts", "The ten largest receivers", "rank_by_receipts <= 10"),
        ("payments", "The ten largest payers", "rank_by_payments <= 10"),
        (
            "balance",
            "The largest surpluses and deficits",
            "rank_by_balance <= 7\n"
            "    or rank_by_balance > (select max(rank_by_balance) - 7 from ranked)",
        ),
    ):
        answer = ask(
            con,
            f"""
with latest as (
    select source, concept, max(period) as period
    from marts.mart_world_ranking
    where frequency = 'A' and concept = 'BPM6_SH' and reporters_ranked >= {_WORLD}
    group by source, concept
    order by period desc
    limit 1
), ranked as (
    select ranking.*
    from marts.mart_world_ranking as ranking
    inner join latest using (source, concept, period)
)
select rank_by_{flow}, reporter_code, reporter_name, receipts_usd_m, payments_usd_m,
       balance_usd_m, period, source
from ranked
where {chosen}
order by rank_by_{flow}, reporter_code""",
        )
        year = answer.first("period")
        figures.append(
            Figure(
                f"ranking-{flow}",
                f"{title}, {year}" if year else title,
                "billion US dollars"
                if charts.unit_of(answer.values(f"{flow}_usd_m")) == "bn"
                else "million US dollars",
                answer,
                (
                    Column(f"rank_by_{flow}", "Rank", "rank"),
                    Column("reporter_name", "Economy", "economy"),
                    *MONEY,
                ),
                sources_of(con, answer),
                charts.ranked_bars(
                    charts.unit_of(answer.values(f"{flow}_usd_m")), flow, "reporter_name"
                ),
                f"Bar chart: {title[0].lower()}{title[1:]} of {year} in the order of the table"
                " below, which has the numbers.",
                note="Countries only, among those that the source states for the year."
                " The table is in millions.",
                open=False,
            )
        )
    return figures


def _china(con: duckdb.DuckDBPyConnection) -> list[Figure]:
    return [
        _china_by(con, breakdown, title)
        for breakdown, title in (
            ("partner", "By partner: where the deficit comes from"),
            ("sector", "By industry"),
            ("category", "By kind of right"),
            ("region", "By province"),
        )
    ]


def _china_by(con: duckdb.DuckDBPyConnection, breakdown: str, title: str) -> Figure:
    answer = ask(
        con,
        f"""
select member_code, member_name, receipts_usd_m, payments_usd_m, balance_usd_m,
       share_of_receipts_pct, share_of_payments_pct, source
from balance_of('CHN', {literal(breakdown)})
where period = '2018-S1' and concept = 'BPM6_SH'
order by member_code in ('_T', 'WLD'), balance_usd_m, payments_usd_m desc, member_code""",
    )
    parts = [row for row in answer.records() if row["member_code"] not in ("_T", "WLD")]
    balances_alone = all(row["receipts_usd_m"] is None for row in parts) and all(
        row["payments_usd_m"] is None for row in parts
    )
    amounts = [row[name] for row in parts for name in ("payments_usd_m", "balance_usd_m")]
    unit = charts.unit_of(amounts)
    return Figure(
        f"china-{breakdown}",
        title,
        "billion US dollars" if unit == "bn" else "million US dollars",
        answer,
        (
            Column("member_name", "Member"),
            *MONEY,
            Column("share_of_receipts_pct", "% of receipts", "pct"),
            Column("share_of_payments_pct", "% of payments", "pct"),
        ),
        sources_of(con, answer),
        (
            charts.ranked_bars(unit, "balance", "member_name")
            if balances_alone
            else charts.paired_bars(unit, "member_name")
        )
        if parts
        else None,
        f"Bar chart of China's {'balance' if balances_alone else 'receipts and payments'} in the"
        f" first half of 2018 {title[0].lower()}{title[1:]}. The table below has the numbers.",
        note="The table is in millions of US dollars; the last row is the total, not a member.",
    )


def _all_statements(con: duckdb.DuckDBPyConnection) -> Page:
    texts = ask(
        con,
        """
select text_release, citation, count(distinct claim_id) as statements,
       count(distinct claim_id) filter (verdict = 'confirmed') as confirmed,
       count(distinct claim_id) filter (verdict = 'consistent') as consistent,
       count(distinct claim_id) filter (verdict = 'contradicted') as contradicted,
       count(distinct claim_id) filter (verdict = 'no_data') as no_data
from marts.mart_published_claims
group by text_release, citation
order by text_release""",
    )
    contradicted = ask(
        con,
        """
select text_release, sentence, stated_value, found_value, verdict, source, release_date, method,
       comparator, unit, unit_multiplier, rounding
from marts.mart_published_claims
where verdict = 'contradicted'
order by text_release, claim_id, release_date""",
    )
    return Page(
        "studies/index.html",
        "What texts have said",
        "Statements of press reports, releases and studies, each against every release that can"
        " answer it.",
        figures=[
            Figure(
                "texts",
                "The texts",
                "statements by verdict",
                texts,
                (
                    Column("text_release", "Text of", "date"),
                    Column("citation", "Text", "study"),
                    Column("statements", "Statements", "number"),
                    Column("confirmed", "Confirmed", "number"),
                    Column("consistent", "Consistent", "number"),
                    Column("contradicted", "Contradicted", "number"),
                    Column("no_data", "No data", "number"),
                ),
                source="",
                note="A statement that several releases answer differently counts in each verdict.",
            ),
            Figure(
                "contradicted",
                "What a release contradicts",
                "",
                contradicted,
                (
                    Column("sentence", "Statement"),
                    Column("stated_value", "The text says", "stated"),
                    Column("found_value", "The release says", "found"),
                    Column("source", "Source"),
                    Column("release_date", "Release", "date"),
                ),
                source="",
                note="Definitions and vintages differ: a statement may well have been true by the"
                " release that its author had.",
            ),
        ],
    )
