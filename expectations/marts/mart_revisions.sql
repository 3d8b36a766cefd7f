-- name: releases_half_revised
select
    source,
    release_date,
    count(*) as numbers,
    sum(case when abs(change_pct) > 50 then 1 else 0 end) as changed
from $batch
where value is not null
group by source, release_date
having sum(case when abs(change_pct) > 50 then 1 else 0 end) > count(*) / 2.0
;
