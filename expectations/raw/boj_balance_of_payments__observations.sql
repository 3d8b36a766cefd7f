-- name: wrong_months
select survey_date, count(*) as rows_of_month, any_value(_row) as _row, any_value(_file) as _file
from $batch
group by survey_date
having
    count(*) > 1
    or not coalesce(regexp_full_match(survey_date, '(19|20)[0-9]{2}(0[1-9]|1[0-2])'), false)
    or max(
        coalesce(value, 'null') not in ('null', '')
        and try_strptime(survey_date || '01', '%Y%m%d')::date > _release
    )
;

-- name: missing_months
select months, found
from
    (
        select
            date_diff(
                'month',
                min(try_strptime(survey_date || '01', '%Y%m%d')),
                max(try_strptime(survey_date || '01', '%Y%m%d'))
            )
            + 1 as months,
            count(distinct try_strptime(survey_date || '01', '%Y%m%d')) as found
        from $batch
    ) as counted
where months <> found
;

-- name: values_no_number
select _file, _row, survey_date, value
from $batch
where
    nullif(nullif(value, 'null'), '') is not null
    and coalesce(
        not regexp_full_match(nullif(nullif(value, 'null'), ''), '-?[0-9]+([.][0-9]+)?')
        or try_cast(replace(nullif(nullif(value, 'null'), ''), ',', '') as decimal(16, 6)) is null,
        true
    )
;
