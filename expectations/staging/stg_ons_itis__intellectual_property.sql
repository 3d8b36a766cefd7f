-- name: kinds_other_than_their_total
select
    source,
    release_date,
    table_code,
    section,
    flow,
    period,
    sum(case when item like 'Total %' then value end) as total,
    sum(case when item like 'Total %' then null else value end) as parts,
    sum(case when value is null then 1 else 0 end) as suppressed
from $batch
group by source, release_date, table_code, section, flow, period
having
    count(case when item like 'Total %' then value end) = 1
    and (
        (
            count(value) = count(*)
            and abs(sum(case when item like 'Total %' then value else - value end)) > $tolerance
        )
        or (
            flow <> 'Balance'
            and sum(case when item like 'Total %' then - value else value end) > $tolerance
        )
    )
;

-- name: industries_above_their_total
select
    source,
    release_date,
    section,
    category,
    flow,
    period,
    sum(case when table_code = 'C1' then value end) as all_industries,
    sum(case when table_code = 'C1' then null else value end) as parts
from
    (
        select *, replace(category_label, 'prgrammes', 'programmes') as category from $batch
    ) as labelled
where flow <> 'Balance'
group by source, release_date, section, category, flow, period
having
    count(case when table_code = 'C1' then value end) = 1
    and sum(case when table_code = 'C1' then - value else value end) > $tolerance
;
