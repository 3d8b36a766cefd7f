-- World Development Indicators in the common shape: totals of each economy with the world.
with
    staged as (
        select
            source,
            release_date,
            country_code as reporter,
            'WLD' as partner,
            '_T' as sector,
            '_T' as category,
            '_T' as affiliation,
            '_T' as region,
            'BPM6_SH' as concept,
            period,
            case
                indicator_code
                when 'BX.GSR.ROYL.CD'
                then 'receipts'
                when 'BM.GSR.ROYL.CD'
                then 'payments'
            end as flow,
            value,
            'USD' as currency,
            0 as unit_multiplier,
            rounding,
            '=' as comparator,
            'A' as obs_status,
            'F' as conf_status,
            file_name,
            sheet_name,
            row_number,
            column_name
        from {{ in_changed_partitions(ref("stg_worldbank_wdi__observations")) }}
    )
    {{ conform_codes("staged") }}
