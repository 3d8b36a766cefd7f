-- name: values_no_number
select _file, _sheet, _row, _column, value
from $batch
where
    value <> '..'
    and coalesce(
        try_cast(value as decimal(38, 10)) is null
        or not regexp_full_match(
            value, '-?[0-9]+([.][0-9]+)?([eE]([+]?(0?[0-9]|1[0-3])|-[0-9]{1,2}))?'
        ),
        true
    )
;

-- name: figures_stated_twice
select _file, _sheet, _row, _column, country_code, indicator_code, value
from
    (
        select
            *, count(*) over (partition by country_code, indicator_code, left(_column, 4)) as times
        from $batch
    ) as counted
where times > 1
order by country_code, indicator_code, left(_column, 4), _file, _row
;

-- name: a_fifth_fewer_economies
with
    before as (select distinct country_code as code from $previous where value <> '..'),
    gone as (
        select code
        from before
        where
            code not in (
                select country_code from $batch where country_code is not null and value <> '..'
            )
    ),
    counted as (
        select
            (select count(distinct country_code) from $batch) as found,
            (select count(distinct country_code) from $previous) as expected
    )
select
    found
    || ' of '
    || expected
    || ' economies'
    || case when found = 1 then ': a download of one country' else '' end as coverage,
    code as missing
from gone
cross join counted
where (select count(*) from gone) * 5 > (select count(*) from before)
order by code
;
