-- The UK by partner in the common shape.
with
    staged as (
        select
            source,
            release_date,
            'GBR' as reporter,
            area_code as partner,
            '_T' as sector,
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
        from {{ in_changed_partitions(ref("stg_ons_services_by_partner__observations")) }}
    )
    {{ conform_codes("staged") }}
