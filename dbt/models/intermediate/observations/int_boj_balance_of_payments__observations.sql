-- Japan in the common shape: only the balance, which is stated without its parts.
with
    staged as (
        select
            source,
            release_date,
            'JPN' as reporter,
            'WLD' as partner,
            '_T' as sector,
            '_T' as category,
            '_T' as affiliation,
            '_T' as region,
            'BPM6_SH' as concept,
            period,
            'balance' as flow,
            value,
            'JPY' as currency,
            8 as unit_multiplier,
            rounding,
            '=' as comparator,
            obs_status,
            conf_status,
            file_name,
            sheet_name,
            row_number,
            column_name
        from {{ in_changed_partitions(ref("stg_boj_balance_of_payments__observations")) }}
    )
    {{ conform_codes("staged") }}
