-- name: unknown_economies
select *
from
    (
        select 'reporter' as column_name, reporter as code, rows_found
        from (select reporter, count(*) as rows_found from $batch group by reporter) as reporters
        where
            reporter not in $economy_alpha_2_codes
            and reporter not in $economy_codes
            and reporter not in $oecd_wto_batis_economy_codes
        union all
        select 'partner' as column_name, partner as code, rows_found
        from (select partner, count(*) as rows_found from $batch group by partner) as partners
        where
            partner not in $economy_alpha_2_codes
            and partner not in $economy_codes
            and partner not in $oecd_wto_batis_economy_codes
    ) as unknown
order by rows_found desc, column_name, code
;

-- name: unknown_codes
select *
from
    (
        select 'item_code' as column_name, item_code as code, rows_found
        from (select item_code, count(*) as rows_found from $batch group by item_code) as item_codes
        where item_code like 'SH%' and item_code not in $category_codes
        union all
        select 'type_reporter' as column_name, type_reporter as code, rows_found
        from
            (
                select type_reporter, count(*) as rows_found from $batch group by type_reporter
            ) as type_reporters
        where type_reporter not in ('c', 'g')
        union all
        select 'type_partner' as column_name, type_partner as code, rows_found
        from
            (
                select type_partner, count(*) as rows_found from $batch group by type_partner
            ) as type_partners
        where type_partner not in ('c', 'g')
        union all
        select 'methodology' as column_name, coalesce(methodology, '') as code, rows_found
        from
            (
                select methodology, count(*) as rows_found from $batch group by methodology
            ) as methodologys
        where
            coalesce(
                methodology not in (
                    'R_IMF',
                    'R_NAT',
                    'R_OECD',
                    'R_EU_ITS',
                    'E0',
                    'E1',
                    'E2',
                    'E3',
                    'E5',
                    'E8.2',
                    'M1.3',
                    'M2.2',
                    'M8.2',
                    'M8.3',
                    'W0'
                ),
                true
            )
    ) as unknown
order by rows_found desc, column_name, code
;

-- name: values_no_number
select _file, _row, reported_value, final_value, balanced_value
from $batch
where
    (
        reported_value <> 'NA'
        and coalesce(
            not regexp_full_match(reported_value, '-?[0-9]*[.]?[0-9]+([eE][+-]?[0-9]{1,2})?')
            or abs(try_cast(reported_value as double)) >= 1e11,
            true
        )
    )
    or (
        final_value <> 'NA'
        and coalesce(
            not regexp_full_match(final_value, '-?[0-9]*[.]?[0-9]+([eE][+-]?[0-9]{1,2})?')
            or abs(try_cast(final_value as double)) >= 1e11,
            true
        )
    )
    or (
        balanced_value <> 'NA'
        and coalesce(
            not regexp_full_match(balanced_value, '-?[0-9]*[.]?[0-9]+([eE][+-]?[0-9]{1,2})?')
            or abs(try_cast(balanced_value as double)) >= 1e11,
            true
        )
    )
order by _file, _row
;

-- name: values_above_10_trillion
select _file, _row, reported_value, final_value, balanced_value
from $batch
where
    abs(try_cast(reported_value as double)) >= 1e7
    or abs(try_cast(final_value as double)) >= 1e7
    or abs(try_cast(balanced_value as double)) >= 1e7
order by _file, _row
;

-- name: records_stated_twice
select _file, _row, reporter, partner, flow, item_code, year
from
    (
        select *, count(*) over (partition by reporter, partner, flow, item_code, year) as times
        from $batch
        where
            hash(reporter, partner, flow, item_code, year) in (
                select hash(reporter, partner, flow, item_code, year)
                from $batch
                group by hash(reporter, partner, flow, item_code, year)
                having count(*) > 1
            )
    ) as counted
where times > 1
order by reporter, partner, flow, item_code, year, _row
;

-- name: a_fifth_fewer_rows
select new.rows_found, old.release_before, old.rows_before
from
    (select count(*) as rows_found from $batch where item_code like 'SH%') as new,
    (
        select count(*) as rows_before, max(_release) as release_before
        from $previous as kept
        where item_code like 'SH%'
    ) as old
where new.rows_found * 5 < old.rows_before * 4
;

-- name: a_fifth_fewer_reporters
select new.reporters, old.release_before, old.reporters_before
from
    (select count(distinct reporter) as reporters from $batch where item_code like 'SH%') as new,
    (
        select count(distinct reporter) as reporters_before, max(_release) as release_before
        from $previous as kept
        where item_code like 'SH%'
    ) as old
where new.reporters * 5 < old.reporters_before * 4
;
