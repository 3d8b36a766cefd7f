/*
title: "{heading}, {period}"
unit: "{unit}"
columns:
  "rank_by_{flow}": Rank
  reporter_name: [Economy, economy]
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
sources: source
chart: {name: ranked_bars, flow: "{flow}", member: reporter_name}
alt: >-
  Bar chart: {heading_lower} of {period} in the order of the table below, which has the numbers.
note: Countries only, among those that the source states for the year.
open: 0
*/
with
    latest as (
        -- A rank among fewer than 50 economies is no world ranking.
        select source, concept, max(period) as period
        from marts.mart_world_ranking
        where frequency = 'A' and concept = 'BPM6_SH' and reporters_ranked >= 50
        group by source, concept
        order by period desc
        limit 1
    ),
    ranked as (
        select ranking.*
        from marts.mart_world_ranking as ranking
        inner join latest using (source, concept, period)
    )
select
    rank_by_{{ flow }},
    reporter_code,
    reporter_name,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    period,
    source
from ranked
where
    rank_by_{{ flow }} <= {{ top }}
    {% if flow == "balance" %}
        or rank_by_{{ flow }} > (select max(rank_by_{{ flow }}) - {{ top }} from ranked)
    {% endif %}
order by rank_by_{{ flow }}, reporter_code
