-- name: fewer_than_three_income_groups
select
    valid_from,
    sum(economies) as classified,
    count(case when economies >= 10 then 1 end) as large_groups
from
    (
        select valid_from, income_group, count(*) as economies
        from $batch
        where income_group <> 'Not classified'
        group by valid_from, income_group
    ) as groups
group by valid_from
having sum(economies) > 100 and count(case when economies >= 10 then 1 end) < 3
;
