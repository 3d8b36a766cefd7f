-- China in the common shape.
with
    staged as (
        select
            source,
            release_date,
            'CHN' as reporter,
            'WLD' as partner,
            '_T' as sector,
            '_T' as category,
            '_T' as affiliation,
            '_T' as region,
            'BPM6_SH' as concept,
            period,
            flow,
            value,
            'USD' as currency,
            8 as unit_multiplier,
            rounding,
            '=' as comparator,
            obs_status,
            conf_status,
            file_name,
            sheet_name,
            row_number,
            column_name
        from {{ in_changed_partitions(ref("stg_safe_bop_time_series__observations")) }}
    )
    {{ conform_codes("staged") }}
