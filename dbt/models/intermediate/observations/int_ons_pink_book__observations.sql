-- The Pink Book's table of intellectual property in the common shape: the United Kingdom
-- with the world, by type of right.
with
    staged as (
        select
            source,
            release_date,
            'GBR' as reporter,
            'WLD' as partner,
            '_T' as sector,
            item as category,
            '_T' as affiliation,
            '_T' as region,
            'BPM6_SH' as concept,
            period,
            case
                section
                when 'Exports (Credits)'
                then 'receipts'
                when 'Imports (Debits)'
                then 'payments'
                when 'Balances'
                then 'balance'
            end as flow,
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
        from {{ in_changed_partitions(ref("stg_ons_pink_book__intellectual_property")) }}
    ),

    conformed as ({{ conform_codes("staged") }}),

    final as ({{ with_breaks_of_splits("conformed") }})

select *
from final
