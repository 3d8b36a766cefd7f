-- name: aggregates_without_members
select source, release_date, aggregate_code, count(*) as members
from $batch
group by source, release_date, aggregate_code
having count(*) < 2 or max(case when member_code = aggregate_code then 1 else 0 end) = 1
;
