-- name: releases_without_the_united_states
select source, release_date, count(distinct country_code) as countries
from $batch
group by source, release_date
having
    count(distinct country_code) > 100 and max(case when country_code = 'USA' then 1 else 0 end) = 0
;
