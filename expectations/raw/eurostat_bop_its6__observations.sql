-- name: unknown_codes
select *
from
    (
        select 'bop_item' as column_name, bop_item as code, count(*) as rows_found
        from $batch
        where bop_item not in $category_codes and bop_item not in $eurostat_bop_its6_category_codes
        group by code
        union all
        select 'geo' as column_name, geo as code, count(*) as rows_found
        from $batch
        where
            geo not in $economy_codes
            and geo not in $economy_alpha_2_codes
            and geo not in $eurostat_bop_its6_economy_codes
        group by code
        union all
        select 'partner' as column_name, partner as code, count(*) as rows_found
        from $batch
        where
            partner not in $economy_codes
            and partner not in $economy_alpha_2_codes
            and partner not in $eurostat_bop_its6_economy_codes
        group by code
    ) as unknown
order by rows_found desc, column_name, code
;

-- name: unknown_flags
select *
from
    (
        select
            'flag' as column_name,
            coalesce(regexp_extract(trim(value), '[ @](.*)$', 1), '')
            || coalesce(obs_flag, '') as code,
            count(*) as rows_found
        from $batch
        where
            regexp_matches(
                coalesce(regexp_extract(trim(value), '[ @](.*)$', 1), '') || coalesce(obs_flag, ''),
                '[^bcdefimnprsuzCNP @]'
            )
        group by code
        union all
        select 'conf_status' as column_name, conf_status as code, count(*) as rows_found
        from $batch
        where conf_status not in ('C', 'F', 'N', 'P')
        group by code
    ) as unknown
order by rows_found desc, column_name, code
;
