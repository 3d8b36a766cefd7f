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
  source: Source
sources: source
chart: balance_over_time
alt: >-
  Line chart of the receipts and payments of {name} with the balance as bars, by year. The numbers
  are in the table below.
note: "The table names the source of each year: a line is broken where a year is not stated."
open: 0
*/
select
    period,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    receipts_growth_pct,
    payments_growth_pct,
    source
from marts.mart_balance_by_partner as totals
semi join
    marts.mart_world_ranking as preferred_totals
    on totals.reporter_code = preferred_totals.reporter_code
    and totals.period = preferred_totals.period
    and totals.concept = preferred_totals.concept
    and totals.source = preferred_totals.source
    and preferred_totals.preferred
where
    reporter_code = $code
    and partner_code = 'WLD'
    and frequency = 'A'
    and concept = 'BPM6_SH'
order by period
