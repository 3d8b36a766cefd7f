-- name: areas_other_than_the_world
select
    source,
    release_date,
    flow,
    period,
    sum(case when area_code = 'W1' then value end) as world,
    sum(case when area_code in ('B5', 'D5') then value end) as parts
from
    (
        select
            source,
            release_date,
            flow,
            period,
            area_code,
            case when area_code in ('W1', 'B5', 'D5') then value end as value,
            rounding
        from $batch
    ) as terms
group by source, release_date, flow, period
having
    count(case when area_code = 'W1' then value end) = 0
    or (
        count(value) = 3
        and abs(sum(case when area_code = 'W1' then value else - value end)) > $tolerance
    )
;

-- name: countries_above_the_world
select
    source,
    release_date,
    flow,
    period,
    sum(case when area_code = 'W1' then value end) as world,
    sum(case when area_code <> 'W1' then value end) as parts
from $batch
where area_code not in ('B5', 'D5', 'CS')
group by source, release_date, flow, period
having sum(case when area_code = 'W1' then - value else value end) > $tolerance
;

-- name: quarters_other_than_their_year
select
    source,
    release_date,
    area_code,
    flow,
    left(period, 4) as year,
    sum(case when length(period) = 4 then value end) as stated,
    sum(case when length(period) > 4 then value end) as quarters
from $batch
group by source, release_date, area_code, flow, left(period, 4)
having
    count(value) = 5
    and abs(sum(case when length(period) = 4 then value else - value end)) > $tolerance
;
