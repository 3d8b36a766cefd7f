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
select
    reporter_code,
    reporter_name,
    world_bank_region,
    max(period) as latest_year,
    arg_max(receipts_usd_m, period) as receipts_usd_m,
    arg_max(payments_usd_m, period) as payments_usd_m,
    arg_max(balance_usd_m, period) as balance_usd_m
from marts.mart_world_ranking
inner join core.dim_reporter using (reporter_code, reporter_name)
where
    frequency = 'A'
    and concept = 'BPM6_SH'
    and preferred
    and coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
group by reporter_code, reporter_name, world_bank_region
order by reporter_name
