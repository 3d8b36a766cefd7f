-- name: types_other_than_their_total
select
    source,
    release_date,
    section,
    period,
    sum(case when item = 'Total' then value end) as total,
    sum(case when item <> 'Total' then value end) as parts
from $batch
group by source, release_date, section, period
having abs(sum(case when item = 'Total' then value else - value end)) > $tolerance
;

-- name: marks_after_a_figure
select source, release_date, file_name, sheet_name, row_number, column_name, item, period
from
    (
        select
            *,
            min(case when value is not null then period end) over (
                partition by release_date, cdid
            ) as first_period
        from $batch
    ) as series
where value is null and period > first_period
;
