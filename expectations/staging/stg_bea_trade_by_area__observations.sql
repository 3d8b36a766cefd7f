-- name: areas_other_than_all_countries
select
    source,
    release_date,
    period,
    sum(case when area = 'All countries' then value end) as world,
    sum(case when area <> 'All countries' then value end) as parts
from $batch
where
    area in (
        'All countries',
        'Canada',
        'Europe',
        'Latin America and Other Western Hemisphere',
        'Africa',
        'Middle East',
        'Asia and Pacific',
        'International organizations and unallocated'
    )
group by source, release_date, period
having
    (
        count(value) = 8
        and abs(sum(case when area = 'All countries' then value else - value end)) > $tolerance
    )
    or sum(case when area = 'All countries' then - value else value end) > $tolerance
;

-- name: countries_other_than_their_area
with
    numbered as (
        select
            source,
            release_date,
            file_name,
            area,
            period,
            value,
            rounding,
            row_number() over (
                partition by source, release_date, file_name, period
                order by sheet_name, length(column_name), column_name
            ) as place
        from $batch
    ),
    terms as (
        select
            cells.source,
            cells.release_date,
            whole.area,
            cells.period,
            cells.place = whole.place as is_whole,
            cells.value,
            cells.rounding
        from numbered as whole
        join numbered as last using (source, release_date, file_name, period)
        join numbered as cells using (source, release_date, file_name, period)
        where
            last.area = whole.area || ', other'
            and cells.place between whole.place and last.place
            and whole.value is not null
    )
select
    source,
    release_date,
    area,
    period,
    sum(case when is_whole then value end) as whole,
    sum(case when not is_whole then value end) as parts,
    count(*) - 1 as listed,
    count(value) - 1 as stated
from terms
group by source, release_date, area, period
having
    sum(case when is_whole then - value else value end) > $tolerance
    or (
        count(*) = count(value) and sum(case when is_whole then value else - value end) > $tolerance
    )
;

-- name: too_many_suppressed
select
    source,
    release_date,
    count(*) as cells,
    count(case when conf_status = 'C' then 1 end) as suppressed
from $batch
group by source, release_date
having count(case when conf_status = 'C' then 1 end) * 5 > count(*)
;
