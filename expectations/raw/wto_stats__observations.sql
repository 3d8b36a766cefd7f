-- name: unknown_codes
select *
from
    (
        select 'item_code' as column_name, item_code as code, count(*) as rows_found
        from $batch
        where item_code not in $category_codes and item_code not in $wto_stats_category_codes
        group by code
        union all
        select
            'reporter_code' as column_name,
            coalesce(
                reporter_iso3,
                case
                    when length(reporter_code) < 3
                    then lpad(reporter_code, 3, '0')
                    else reporter_code
                end
            ) as code,
            count(*) as rows_found
        from $batch
        where
            coalesce(
                reporter_iso3,
                case
                    when length(reporter_code) < 3
                    then lpad(reporter_code, 3, '0')
                    else reporter_code
                end
            )
            not in $economy_codes
            and coalesce(
                reporter_iso3,
                case
                    when length(reporter_code) < 3
                    then lpad(reporter_code, 3, '0')
                    else reporter_code
                end
            )
            not in $economy_m49_codes
            and coalesce(
                reporter_iso3,
                case
                    when length(reporter_code) < 3
                    then lpad(reporter_code, 3, '0')
                    else reporter_code
                end
            )
            not in $wto_stats_economy_codes
        group by code
        union all
        select
            'partner_code' as column_name,
            coalesce(
                partner_iso3,
                case
                    when length(partner_code) < 3 then lpad(partner_code, 3, '0') else partner_code
                end
            ) as code,
            count(*) as rows_found
        from $batch
        where
            coalesce(
                partner_iso3,
                case
                    when length(partner_code) < 3 then lpad(partner_code, 3, '0') else partner_code
                end
            )
            not in $economy_codes
            and coalesce(
                partner_iso3,
                case
                    when length(partner_code) < 3 then lpad(partner_code, 3, '0') else partner_code
                end
            )
            not in $economy_m49_codes
            and coalesce(
                partner_iso3,
                case
                    when length(partner_code) < 3 then lpad(partner_code, 3, '0') else partner_code
                end
            )
            not in $wto_stats_economy_codes
        group by code
    ) as unknown
order by rows_found desc, column_name, code
;

-- name: units_other_than_dollars_and_percent
select min(_file) as _file, min(_row) as _row, unit_code, unit, count(*) as records
from $batch
group by unit_code, unit
having coalesce(unit_code <> 'USM' and position('%' in unit) = 0, true)
order by unit_code, unit
;

-- name: unknown_classifications
select min(_file) as _file, min(_row) as _row, classification_code, item_code, count(*) as records
from $batch
group by classification_code, item_code
having
    coalesce(
        not (classification_code = 'BOP6' and item_code like 'SH%')
        and not (classification_code = 'BOP5' and item_code = 'S266'),
        true
    )
order by classification_code, item_code
;

-- name: periods_outside_their_year
select _file, _row, year, period_code
from $batch
where
    coalesce(
        not regexp_full_match(year, '(19|20)[0-9]{2}')
        or try_cast(year as integer) > year(_release)
        or not regexp_full_match(period_code, 'A|Q[1-4]|M(0[1-9]|1[0-2])'),
        true
    )
order by _file, _row
;

-- name: records_stated_twice
select _file, _row, indicator_code, reporter_code, partner_code, item_code, year, period_code
from
    (
        select
            *,
            count(*) over (
                partition by
                    indicator_code, reporter_code, partner_code, item_code, year, period_code
            ) as times
        from $batch
    ) as counted
where times > 1
order by indicator_code, reporter_code, partner_code, item_code, year, period_code, _file, _row
;

-- name: a_fifth_fewer_reporters
select new.reporters, old.release_before, old.reporters_before
from
    (select count(distinct reporter_code) as reporters from $batch) as new,
    (
        select count(distinct reporter_code) as reporters_before, max(_release) as release_before
        from $previous
    ) as old
where new.reporters * 5 < old.reporters_before * 4
;
