-- name: unknown_codes
select *
from
    (
        select 'type_of_service' as column_name, type_of_service as code, count(*) as rows_found
        from $batch
        where type_of_service not in $bea_intl_serv_trade_category_codes
        group by code
        union all
        select 'area_or_country' as column_name, area_or_country as code, count(*) as rows_found
        from $batch
        where area_or_country not in $bea_intl_serv_trade_economy_codes
        group by code
        union all
        select 'affiliation' as column_name, affiliation as code, count(*) as rows_found
        from $batch
        where affiliation not in ('AllAffiliations', 'Affiliated', 'Unaffiliated')
        group by code
    ) as unknown
order by rows_found desc, column_name, code
;
