/*
title: Japan's receipts, payments and balance
unit: by year
columns:
  period: Year
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
  source: Source
sources: source
chart: {name: balance_over_time, turned: is_first_surplus}
alt: >-
  Line chart of Japan's receipts and payments with its balance as bars: a deficit in the first
  years, a surplus from the marked year on. The numbers are in the table below.
lead:
  row: is_first_surplus
  text: "The balance first rose above zero in {period}: {balance_usd_m} million US dollars."
note: >-
  The table names the source of each year: a line is broken where a year is not stated.
open: 0
*/
with balances as (select * from marts.flows_by_country where reporter_code = 'JPN')
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
        period = (select min(period) from balances where balance_usd_m > 0), false
    ) as is_first_surplus
from balances
order by period
