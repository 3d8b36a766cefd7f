/*
title: Receipts, payments and balance of the United States
unit: by year
columns:
  period: Year
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
  source: Source
sources: source
chart: balance_over_time
alt: >-
  Line chart of the receipts and payments of the United States with the balance as bars, by year.
  The numbers are in the table below.
lead:
  row: is_latest_series
  text: >-
    In {period} the United States received {receipts_usd_m} and paid {payments_usd_m} million US
    dollars: a balance of {balance_usd_m} million.
note: "The table names the source of each year: a line is broken where a year is not stated."
open: 0
*/
with balances as (select * from marts.flows_by_country where reporter_code = 'USA')
select
    period,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    receipts_status,
    receipts_comparator,
    payments_status,
    payments_comparator,
    balance_status,
    balance_comparator,
    source,
    coalesce(
        period = (select max(period) from balances where source <> 'published_figures'), false
    ) as is_latest_series
from balances
order by period
