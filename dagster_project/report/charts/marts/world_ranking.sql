/*
title: Royalties of the {rows} largest receivers
about:
  - "{concept_name}. Of {reporters_ranked} countries that the source states."
  - "Source: {citation}."
*/
with
    sizes as (
        select source, concept, period, count(receipts_usd_m) as ranked
        from marts.mart_world_ranking
        where frequency = 'A'
        group by all
    ),
    -- The latest year is often half empty: few have reported yet.
    main as (
        select source, concept, period
        from sizes
        where ranked * 2 >= (select max(ranked) from sizes)
        order by period desc, ranked desc, source, concept
        limit 1
    )
select
    reporter_name as member,
    receipts_usd_m,
    payments_usd_m,
    period,
    reporters_ranked,
    concept_name,
    case when releases_are = 'additive' then title else citation end as citation
from marts.mart_world_ranking
semi join main using (source, concept, period)
inner join core.dim_source using (source)
inner join core.dim_concept using (concept)
where receipts_usd_m is not null
order by receipts_usd_m desc, reporter_code
limit 15
