/*
title: "{reporter_name}: royalties by {dimension}"
about:
  - "{concept_name}."
  - "Source: {citation}."
*/
with
    -- Neither the total nor groups of others. A division of an industry is in its section: a picture
    -- shows one level.
    members as (
        select *
        from marts.mart_balance_by_{{ dimension }}
        where
            member_kind
            not in ('total', 'aggregate', 'residual', 'group', 'division', 'other', 'unallocated')
            and coalesce(receipts_usd_m, payments_usd_m) is not null
    ),
    main as (
        select reporter_code, source, concept, frequency
        from members
        group by all
        order by count(*) desc, reporter_code, source, concept, frequency
        limit 1
    ),
    series as (
        select * from members semi join main using (reporter_code, source, concept, frequency)
    ),
    largest as (
        select
            {{ dimension }}_code,
            sum(coalesce(receipts_usd_m, 0) + coalesce(payments_usd_m, 0)) as turnover
        from series
        group by all
        order by turnover desc, {{ dimension }}_code
        limit 6
    )
select
    {{ dimension }}_name as member,
    period,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    reporter_name,
    concept_name,
    -- Figures stated in public texts have as many citations as figures.
    case when releases_are = 'additive' then title else citation end as citation
from series
inner join largest using ({{ dimension }}_code)
inner join core.dim_reporter using (reporter_code)
inner join core.dim_concept using (concept)
inner join core.dim_source using (source)
order by turnover desc, {{ dimension }}_code, period
