-- name: quarters_other_than_their_year
select
    source,
    release_date,
    flow,
    substr(period, 1, 4) as year_of_period,
    sum(case when frequency = 'A' then value else - value end) as difference
from $batch
group by source, release_date, flow, substr(period, 1, 4)
having
    count(case when frequency = 'Q' then value end) = 4
    and count(case when frequency = 'A' then value end) = 1
    and abs(sum(case when frequency = 'A' then value else - value end)) > $tolerance
;
