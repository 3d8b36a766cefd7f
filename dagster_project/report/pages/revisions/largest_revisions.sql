/*
title: The largest revisions of a country's total
columns:
  reporter_name: [Country, economy]
  period: Year
  flow: Flow
  previous_value: [Was, money]
  value: [Is, money]
  change: [Change, money]
  change_pct: "%"
  previous_release_date: From
  release_date: To
sources: source
note: A release that states only three digits causes small revisions by rounding alone.
*/
select
    reporter_name,
    period,
    flow,
    previous_value,
    value,
    change,
    change_pct,
    currency,
    previous_release_date,
    release_date,
    source,
    reporter_code
from marts.mart_revisions
inner join core.dim_reporter using (reporter_code)
where
    kind = 'country'
    and partner_code = 'WLD'
    and sector_code = '_T'
    and category_code = '_T'
    and affiliation_code = '_T'
    and region_code = '_T'
    and frequency = 'A'
    and currency = 'USD'
    and revision_kind = 'changed'
order by abs(change) desc, reporter_code, period, flow
limit 25
