-- name: unknown_codes
select *
from
    (
        select 'measure' as column_name, measure as code, count(*) as rows_found
        from $batch
        where measure not in $category_codes and measure not in $oecd_tis_category_codes
        group by code
        union all
        select 'ref_area' as column_name, ref_area as code, count(*) as rows_found
        from $batch
        where
            ref_area not in $economy_codes
            and ref_area not in $economy_alpha_2_codes
            and ref_area not in $oecd_tis_economy_codes
        group by code
        union all
        select 'counterpart_area' as column_name, counterpart_area as code, count(*) as rows_found
        from $batch
        where
            counterpart_area not in $economy_codes
            and counterpart_area not in $economy_alpha_2_codes
            and counterpart_area not in $oecd_tis_economy_codes
        group by code
    ) as unknown
order by rows_found desc, column_name, code
;

-- name: unknown_statuses
select *
from
    (
        select 'obs_status' as column_name, obs_status as code, count(*) as rows_found
        from $batch
        where
            obs_status not in (
                'A',
                'B',
                'D',
                'E',
                'F',
                'G',
                'H',
                'I',
                'J',
                'K',
                'L',
                'M',
                'N',
                'O',
                'P',
                'Q',
                'S',
                'U',
                'V',
                'W'
            )
        group by code
        union all
        select 'conf_status' as column_name, conf_status as code, count(*) as rows_found
        from $batch
        where conf_status not in ('A', 'C', 'D', 'E', 'F', 'G', 'M', 'N', 'O', 'P', 'S', 'T', 'X')
        group by code
    ) as unknown
order by rows_found desc, column_name, code
;

-- name: unknown_to_staging
select _file, _row, _column, accounting_entry, fs_entry, freq, unit_mult, obs_status, conf_status
from $batch
where
    accounting_entry not in ('C', 'D', 'B')
    or fs_entry <> 'T'
    or freq not in ('A', 'Q')
    or coalesce(unit_mult not in ('0', '3', '6', '9', '12'), true)
    or coalesce(length(obs_status) > 3, true)
    or length(conf_status) > 3
;
