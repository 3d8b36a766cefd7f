/*
title: "{reporter_name}: royalties by {dimension}"
about:
  - "Source: {citation}."
*/
with
    members as (
        select *
        from marts.flows_by_{{ dimension }}
        where coalesce(receipts_usd_m, payments_usd_m) is not null
    ),
    main as (
        select reporter_code, source
        from members
        where member_kind = 'member'
        group by all
        order by count(*) desc, reporter_code, source
        limit 1
    ),
    series as (select * from members semi join main using (reporter_code, source)),
    largest as (
        select
            {{ dimension }}_code,
            sum(coalesce(receipts_usd_m, 0) + coalesce(payments_usd_m, 0)) as turnover
        from series
        where member_kind = 'member'
        group by all
        order by turnover desc, {{ dimension }}_code
        limit 5
    )
select
    {{ dimension }}_name as member,
    period,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    reporter_name,
    -- Figures stated in public texts have as many citations as figures.
    case when releases_are = 'additive' then title else citation end as citation
from series
left join largest using ({{ dimension }}_code)
inner join core.dim_source using (source)
where member_kind = 'unallocated' or turnover is not null
order by turnover desc nulls last, {{ dimension }}_code, period
