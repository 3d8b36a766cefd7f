-- The United States by area and country in the common shape.
with
    -- The European Union excludes the United Kingdom from the whole of 2020: up to 2019 the stated
    -- value is the sum of 28 members, in 2020 that of 27.
    staged as (
        select
            source,
            release_date,
            'USA' as reporter,
            case
                when area = 'European Union' and period < '2020' then 'EU28' else area
            end as partner,
            '_T' as sector,
            '_T' as category,
            '_T' as affiliation,
            '_T' as region,
            'BPM6_SH' as concept,
            period,
            case block when 'Exports of goods and services' then 'receipts' end as flow,
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
        from {{ in_changed_partitions(ref("stg_bea_trade_by_area__observations")) }}
    )
    {{ conform_codes("staged") }}
