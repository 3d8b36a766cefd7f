-- The UK by industry in the common shape. A letter in place of a division (U for unknown, N for
-- none) is not a section of ISIC.
with
    staged as (
        select
            source,
            release_date,
            'GBR' as reporter,
            area_code as partner,
            case when length(industry_code) = 1 then '_U' else industry_code end as sector,
            '_T' as category,
            '_T' as affiliation,
            '_T' as region,
            'BPM6_SH' as concept,
            period,
            flow,
            value,
            'GBP' as currency,
            6 as unit_multiplier,
            rounding,
            '=' as comparator,
            obs_status,
            conf_status,
            file_name,
            sheet_name,
            row_number,
            column_name
        from {{ in_changed_partitions(ref("stg_ons_trade_by_industry__observations")) }}
    )
    {{ conform_codes("staged") }}
