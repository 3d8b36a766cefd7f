/*
title: Countries that state their receipts and payments
unit: number of countries by year, {source}
columns:
  period: Year
  flow: Flow
  countries: Countries
sources: source
chart: countries_over_time
alt: >-
  Line chart of the number of countries that state their receipts, and of those that state their
  payments, by year. The table below has the numbers.
open: 0
*/
select period, source, flow, count(distinct reporter_code) as countries
from marts.mart_coverage
inner join core.dim_reporter using (reporter_code)
where
    kind = 'country'
    and frequency = 'A'
    and dimension = 'total'
    and figures_stated > 0
    and flow in ('receipts', 'payments')
    and concept = 'BPM6_SH'
    and source = (
        select source
        from marts.mart_world_ranking
        group by source
        order by count(distinct reporter_code) desc, source
        limit 1
    )
group by period, source, flow
order by period, flow desc
