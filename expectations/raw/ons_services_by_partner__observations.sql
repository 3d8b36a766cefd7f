-- name: years_not_whole
select left(period, 4) as year, count(distinct period) as periods
from $batch
where left(period, 4) < (select max(left(period, 4)) from $batch)
group by left(period, 4)
having
    count(distinct case when length(period) = 4 then period end) = 0
    or count(distinct case when length(period) > 4 then period end) not in (0, 4)
;
