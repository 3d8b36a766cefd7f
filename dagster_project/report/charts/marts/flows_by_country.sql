/*
title: Royalties of the {rows} largest receivers
about:
  - "Of {countries} countries, each as its preferred source states it."
*/
with
    sizes as (
        select year, count(receipts_usd_m) as countries from marts.flows_by_country group by year
    ),
    -- The latest year is often half empty: few have reported yet.
    main as (
        select *
        from sizes
        where countries * 2 >= (select max(countries) from sizes)
        order by year desc
        limit 1
    )
select reporter_name as member, receipts_usd_m, payments_usd_m, period, countries
from marts.flows_by_country
inner join main using (year)
where receipts_usd_m is not null
order by receipts_usd_m desc, reporter_code
limit 15
