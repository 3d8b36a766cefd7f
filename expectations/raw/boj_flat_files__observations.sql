-- name: unknown_structures
select
    'structure' as column_name, trim(split_part(structure, '/', -2)) as code, count(*) as rows_found
from $batch
where
    trim(split_part(structure, '/', -2)) not in $boj_flat_files_economy_codes
    and not regexp_matches(
        lower(trim(split_part(structure, '/', -2))),
        '知的財産権|産業財産権|著作権|intellectual property|industrial property|copyright'
    )
group by all
order by rows_found desc, code
;

-- name: missing_periods
with
    files as (
        select
            _file,
            count(distinct _column) as periods,
            bool_or(substr(_column, 5) in ('05', '07', '08', '10', '11')) as has_months,
            bool_or(substr(_column, 5) in ('06', '09', '12')) as has_last_months,
            bool_or(substr(_column, 5) <> '03') as is_clear,
            min(_column) as first,
            max(_column) as last,
            bool_and(
                coalesce(regexp_full_match(_column, '(19|20)[0-9]{2}(0[1-9]|1[0-2])'), false)
            ) as are_periods,
            bool_and(substr(_column, 5) in ('03', '06', '09', '12')) as are_last_months,
            bool_and(substr(_column, 5) in ('01', '02', '03', '04')) as are_numbers
        from $batch
        group by _file
    ),
    counted as (
        select
            *,
            (
                try_cast(substr(last, 1, 4) as integer) - try_cast(substr(first, 1, 4) as integer)
            ) as years,
            try_cast(substr(last, 5) as integer) - try_cast(substr(first, 5) as integer) as parts
        from files
    )
select _file, first, last, periods
from counted
where
    not coalesce(
        are_periods
        and is_clear
        and case
            when has_months
            then periods = 12 * years + parts + 1
            when has_last_months
            then are_last_months and periods = 4 * years + parts / 3 + 1
            else are_numbers and periods = 4 * years + parts + 1
        end,
        false
    )
;
