-- name: codes_of_another_form
select _file, _row, alpha_3, alpha_2, m49
from $batch
where
    coalesce(
        not regexp_full_match(alpha_3, '[A-Z]{3}')
        or not regexp_full_match(alpha_2, '[A-Z]{2}')
        or not regexp_full_match(m49, '[0-9]{1,3}'),
        true
    )
order by _row
;

-- name: strange_groups
select
    max(case when ldc <> 'x' or sids <> 'x' then 1 else 0 end) as strange,
    count(ldc) as ldc,
    count(sids) as sids,
    count(*) as areas
from $batch
having
    max(case when ldc <> 'x' or sids <> 'x' then 1 else 0 end) = 1
    or count(ldc) = 0
    or count(sids) = 0
    or count(ldc) * 2 > count(*)
    or count(sids) * 2 > count(*)
;
