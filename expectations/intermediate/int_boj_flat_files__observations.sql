-- name: parts_other_than_the_total
with
    parts as (
        select
            release_date,
            period,
            flow,
            max(case when category_code = '_T' then value end) as total,
            max(case when category_code = 'IND_PROP' then value end) as industrial_property,
            max(case when category_code = 'COPYRIGHT' then value end) as copyright,
            sum(rounding) / 2 as tolerance
        from $batch
        where partner_code = 'WLD' and frequency = 'M'
        group by release_date, period, flow
    )
select 'boj_flat_files' as source, release_date, period, flow, total, industrial_property, copyright
from parts
where abs(industrial_property + copyright - total) > tolerance + 0.000001
;
