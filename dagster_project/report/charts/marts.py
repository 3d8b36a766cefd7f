"""Which chart a mart shows of itself: its main series, found by SQL in the mart.

A mart has many series and a picture has room for few. The SQL takes the one that says most: the
reporter and source with the most parts stated, the latest year that is not half empty, the largest
gaps. Nothing is computed here that is not a column of the mart.
"""

from collections.abc import Callable
from typing import Any

import altair as alt
import duckdb

from dagster_project.report.charts.draw import (
    FLOWS,
    UNIT,
    both_sides,
    flows_over_time,
    shares_by_size,
)

_PANELS = 6
_BARS = 15

# Takes a connection to the file that the mart is in; None if the mart has nothing to draw.
Chart = Callable[[duckdb.DuckDBPyConnection], alt.TopLevelMixin | None]

# What stands in public texts has as many citations as figures.
_CITATION = "case when releases_are = 'additive' then title else citation end as citation"


def _balance_by(dimension: str) -> Chart:
    # An industry's division is a part of its section: a picture shows one level.
    of_one_level = "and length(sector_code) = 1" if dimension == "sector" else ""

    def chart(con: duckdb.DuckDBPyConnection) -> alt.TopLevelMixin | None:
        # Parts are what takes a rank: neither the total nor groups of other parts.
        rows = _rows(
            con,
            f"""
            with
                parts as (
                    from marts.mart_balance_by_{dimension}
                    where coalesce(rank_by_receipts, rank_by_payments) is not null {of_one_level}
                ),
                main as (
                    select reporter_code, source, concept, frequency
                    from parts
                    group by all
                    order by count(*) desc, reporter_code, source, concept, frequency
                    limit 1
                ),
                series as (from parts semi join main
                    using (reporter_code, source, concept, frequency)),
                largest as (
                    select {dimension}_code,
                    sum(coalesce(receipts_usd_m, 0) + coalesce(payments_usd_m, 0)) as turnover
                    from series
                    group by all
                    order by turnover desc, {dimension}_code
                    limit {_PANELS}
                )
            select {dimension}_name as member, period, receipts_usd_m as receipts,
                payments_usd_m as payments, balance_usd_m as balance,
                reporter_name, concept_name, {_CITATION}
            from series
            inner join largest using ({dimension}_code)
            inner join core.dim_reporter using (reporter_code)
            inner join core.dim_concept using (concept)
            inner join core.dim_source using (source)
            order by turnover desc, {dimension}_code, period
            """,
        )
        if not rows:
            return None
        first = rows[0]
        title = f"{first['reporter_name']}: royalties by {dimension}, {UNIT}"
        about = [f"{first['concept_name']}.", f"Source: {first['citation']}."]
        if len({row["period"] for row in rows}) == 1:
            return both_sides(rows, title=f"{title}, {first['period']}", about=about)
        about[0] += " The largest; each panel has a scale of its own."
        return flows_over_time(rows, title=title, about=about)

    return chart


def _world_ranking(con: duckdb.DuckDBPyConnection) -> alt.TopLevelMixin | None:
    rows = _rows(
        con,
        f"""
        with
            sizes as (
                select source, concept, period, count(receipts_usd_m) as ranked
                from marts.mart_world_ranking
                where frequency = 'A'
                group by all
            ),
            -- The latest year is often half empty: few have reported yet.
            main as (
                select source, concept, period
                from sizes
                where ranked * 2 >= (select max(ranked) from sizes)
                order by period desc, ranked desc, source, concept
                limit 1
            )
        select reporter_name as member, receipts_usd_m as receipts, payments_usd_m as payments,
            period, reporters_ranked, concept_name, {_CITATION}
        from marts.mart_world_ranking
        semi join main using (source, concept, period)
        inner join core.dim_source using (source)
        inner join core.dim_concept using (concept)
        where rank_by_receipts <= {_BARS}
        order by rank_by_receipts, reporter_code
        """,
    )
    if not rows:
        return None
    first = rows[0]
    return both_sides(
        rows,
        title=f"Royalties of the {len(rows)} largest receivers, {UNIT}, {first['period']}",
        about=[
            f"{first['concept_name']}. {first['reporters_ranked']} countries are ranked.",
            f"Source: {first['citation']}.",
        ],
    )


def _mirror_asymmetry(con: duckdb.DuckDBPyConnection) -> alt.TopLevelMixin | None:
    rows = _rows(
        con,
        f"""
        with
            pairs as (
                select concept, frequency, receiver_code, payer_code, receipts_source,
                    payments_source, sum(abs(asymmetry_usd_m)) as distance
                from marts.mart_mirror_asymmetry
                group by all
                having distance > 0
            ),
            main as (
                select concept, frequency from pairs
                group by all
                order by count(*) desc, concept, frequency
                limit 1
            ),
            largest as (
                from pairs semi join main using (concept, frequency)
                order by distance desc, receiver_code, payer_code, receipts_source, payments_source
                limit {_PANELS}
            )
        select receivers.reporter_name || ' from ' || payers.reporter_name as member,
            period, receipts_stated_usd_m as receipts, payments_stated_usd_m as payments,
            receipts_source, payments_source, concept_name
        from marts.mart_mirror_asymmetry
        inner join core.dim_concept using (concept)
        inner join largest using (
            concept, frequency, receiver_code, payer_code, receipts_source, payments_source)
        inner join core.dim_reporter as receivers on receiver_code = receivers.reporter_code
        inner join core.dim_reporter as payers on payer_code = payers.reporter_code
        order by distance desc, member, receipts_source, payments_source, period
        """,
    )
    if not rows:
        return None
    for row in rows:
        row["member"] += f" ({row['receipts_source']} / {row['payments_source']})"
    return flows_over_time(
        rows,
        title=f"One flow as two sides state it, {UNIT}",
        about=[
            f"{rows[0]['concept_name']}. Receipts as the receiver states them, payments as the"
            " payer does: the pairs that are furthest apart.",
            "Sources: in brackets, the receiver's and the payer's.",
        ],
        flows=FLOWS[:2],
        width=300,
    )


SIZES = ("not changed", "up to 1 %", "up to 5 %", "up to 20 %", "more than 20 %")


def _revisions(con: duckdb.DuckDBPyConnection) -> alt.TopLevelMixin | None:
    rows = _rows(
        con,
        """
        select source || ', ' || previous_release_date || ' to ' || release_date as "group",
            case
                when revision_kind = 'unchanged' then 0
                when abs(change_pct) <= 1 then 1
                when abs(change_pct) <= 5 then 2
                when abs(change_pct) <= 20 then 3
                else 4
            end as size,
            count(*) as figures
        from marts.mart_revisions
        where value is not null
        group by source, previous_release_date, release_date, size
        order by source, release_date, previous_release_date, size
        """,
    )
    if not rows:
        return None
    return shares_by_size(
        [{**row, "size": SIZES[row["size"]]} for row in rows],
        SIZES,
        title="How far figures moved from one release to the next, share of the figures",
        about=["Figures stated by both releases; their number stands at the right."],
    )


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = con.execute(query)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


CHARTS: dict[str, Chart] = {
    **{
        f"mart_balance_by_{dimension}": _balance_by(dimension)
        for dimension in ("partner", "sector", "category", "region", "affiliation")
    },
    "mart_world_ranking": _world_ranking,
    "mart_mirror_asymmetry": _mirror_asymmetry,
    "mart_revisions": _revisions,
}
