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
note: Countries only, each as its preferred source states the latest year in which many are stated.
open: 0
*/
with
    ranked as (
        select *
        from marts.flows_by_country
        where year = (select max(year) from marts.flows_by_country where receipts_ranked_among > 0)
    )
select
    rank_by_{{ flow }},
    {{ flow }}_ranked_among,
    reporter_code,
    reporter_name,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    receipts_status,
    receipts_comparator,
    payments_status,
    payments_comparator,
    balance_status,
    balance_comparator,
    period,
    source
from ranked
where
    rank_by_{{ flow }} <= {{ top }}
    {% if flow == "balance" %}
        or rank_by_{{ flow }} > (select max(rank_by_{{ flow }}) - {{ top }} from ranked)
    {% endif %}
order by rank_by_{{ flow }}, reporter_code
