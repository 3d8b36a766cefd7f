-- name: places_with_gaps
select
    dimension,
    reporter_code,
    period,
    concept,
    min(source) as source,
    count(*) as statements,
    max(place) as last_place
from $batch
group by dimension, reporter_code, period, concept
having max(place) <> count(*) or min(place) <> 1
;
-- name: totals_before_members
select
    dimension,
    reporter_code,
    period,
    concept,
    min(source) as source,
    max(case when has_members then place end) as last_with_members,
    min(case when not has_members then place end) as first_total_alone
from $batch
group by dimension, reporter_code, period, concept
having max(case when has_members then place end) > min(case when not has_members then place end)
;
