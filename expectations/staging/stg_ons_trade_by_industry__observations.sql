-- name: areas_other_than_the_world
select
    source,
    release_date,
    industry_code,
    flow,
    period,
    sum(case when area_code = 'W1' then value end) as world,
    sum(case when area_code <> 'W1' then value end) as parts
from $batch
where area_code in ('W1', 'B5', 'D5')
group by source, release_date, industry_code, flow, period
having
    count(value) = 3
    and abs(sum(case when area_code = 'W1' then value else - value end)) > $tolerance
;
