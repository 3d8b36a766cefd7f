/*
title: Receipts, payments and balance
unit: by year
columns:
  period: Year
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
  receipts_growth_pct: Receipts, growth %
  payments_growth_pct: Payments, growth %
  rank_by_receipts: Rank by receipts
  rank_by_payments: Rank by payments
  source: Source
sources: source
chart: balance_over_time
alt: >-
  Line chart of the receipts and payments of {name} with the balance as bars, by year. The numbers
  are in the table below.
note: >-
  The table names the source of each year; growth is within one release of one source, and none
  across a break. A line is broken where a year is not stated.
open: 0
*/
select
    period,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    receipts_growth_pct,
    payments_growth_pct,
    rank_by_receipts,
    receipts_ranked_among,
    rank_by_payments,
    payments_ranked_among,
    receipts_status,
    receipts_comparator,
    payments_status,
    payments_comparator,
    balance_status,
    balance_comparator,
    source
from marts.flows_by_country
where reporter_code = $code
order by period
