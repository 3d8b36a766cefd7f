-- The United States in the common shape: by partner, type of right and affiliation.
with
    -- The European Union excludes the United Kingdom from the whole of 2020, as in BEA's table by
    -- area and country.
    staged as (
        select
            source,
            release_date,
            'USA' as reporter,
            case when area = 'EU' and period < '2020' then 'EU28' else area end as partner,
            '_T' as sector,
            type_of_service as category,
            affiliation,
            '_T' as region,
            'BPM6_SH' as concept,
            period,
            flow,
            value,
            'USD' as currency,
            6 as unit_multiplier,
            rounding,
            '=' as comparator,
            obs_status,
            conf_status,
            file_name,
            sheet_name,
            row_number,
            column_name
        from {{ in_changed_partitions(ref("stg_bea_intl_serv_trade__observations")) }}
    ),

    conformed as ({{ conform_codes("staged") }}),

    final as ({{ with_breaks_of_splits("conformed") }})

select *
from final
