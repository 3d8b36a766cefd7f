-- Japan in the common shape: with the world by type of right, and by area and country.
with
    staged as (
        select
            source,
            release_date,
            'JPN' as reporter,
            partner,
            '_T' as sector,
            category,
            '_T' as affiliation,
            '_T' as region,
            'BPM6_SH' as concept,
            period,
            flow,
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
        from {{ in_changed_partitions(ref("stg_boj_flat_files__observations")) }}
    ),

    conformed as ({{ conform_codes("staged") }}),

    final as ({{ with_breaks_of_splits("conformed") }})

select *
from final
