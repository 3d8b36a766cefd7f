/*
title: Countries
unit: latest year stated
columns:
  reporter_name: [Country, economy]
  world_bank_region: World Bank region
  latest_year: [Year, period]
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
source: the preferred source of each country and year, named on its page
*/
with
    latest as (
        select reporter_code, max(year) as year
        from marts.flows_by_country
        where coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
        group by reporter_code
    )
select
    reporter_code,
    flows.reporter_name,
    world_bank_region,
    period as latest_year,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    receipts_status,
    receipts_comparator,
    payments_status,
    payments_comparator,
    balance_status,
    balance_comparator
from marts.flows_by_country as flows
inner join latest using (reporter_code, year)
inner join core.dim_reporter using (reporter_code)
order by flows.reporter_name
