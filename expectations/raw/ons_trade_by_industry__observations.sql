-- name: too_few_figures
select
    direction,
    count(*) as cells,
    sum(case when regexp_matches(value, '[0-9]') then 1 else 0 end) as figures
from $batch
group by direction
having sum(case when regexp_matches(value, '[0-9]') then 1 else 0 end) * 3 < count(*)
;
