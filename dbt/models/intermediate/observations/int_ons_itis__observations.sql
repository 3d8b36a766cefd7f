-- The UK survey's tables of intellectual property in the common shape. Outright sales belong to no
-- balance of payments item about use, so everything here has the concept ONS_ITIS and categories of
-- its own. Only the total continues from the older classification: its first year in the newer one
-- is a break (B).
with
    staged as (
        select
            source,
            release_date,
            'GBR' as reporter,
            'WLD' as partner,
            table_code as sector,
            category_label as category,
            '_T' as affiliation,
            '_T' as region,
            'ONS_ITIS' as concept,
            period,
            case
                flow
                when 'Exports'
                then 'receipts'
                when 'Imports'
                then 'payments'
                when 'Balance'
                then 'balance'
            end as flow,
            value,
            'GBP' as currency,
            6 as unit_multiplier,
            rounding,
            '=' as comparator,
            case
                when
                    obs_status = 'A'
                    and item = 'Total intellectual property'
                    and period
                    = min(period) over (partition by release_date, file_name, table_code, section)
                then 'B'
                else obs_status
            end as obs_status,
            conf_status,
            file_name,
            sheet_name,
            row_number,
            column_name
        from {{ in_changed_partitions(ref("stg_ons_itis__intellectual_property")) }}
    )
    {{ conform_codes("staged") }}
