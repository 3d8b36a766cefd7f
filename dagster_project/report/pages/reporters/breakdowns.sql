/*
title: The latest year of each breakdown, or other period where no year is stated
*/
with
    periods as (
        {% for suffix in suffixes %}
            select reporter_code, 'BPM6_SH' as concept, '{{ suffix }}' as suffix, period
            from marts.flows_by_{{ breakdown }}{{ suffix }}
            where
                member_kind <> 'unallocated'
                and coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
            union all
        {% endfor %}
        -- Other definitions: surveys, older manuals.
        select reporter_code, concept, case when frequency <> 'A' then frequency else '' end, period
        from marts.mart_balance_by_{{ mart_dimension }}
        where
            concept <> 'BPM6_SH'
            and preferred
            and member_kind <> 'total'
            and coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
    )
select
    reporter_code,
    concept,
    arg_max(suffix, (suffix = '', period)) as suffix,
    arg_max(period, (suffix = '', period)) as period
from periods
group by reporter_code, concept
order by reporter_code, concept
