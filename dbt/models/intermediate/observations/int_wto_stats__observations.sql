-- Levels of the WTO in the common shape. Growth is in int_wto_stats__rates.
with
    -- An economy without an alpha-3 code has a number; no number is also a code of int_economies.
    economy_numbers as (
        select m49, economy_code from {{ ref("int_economies") }} where m49 is not null
    ),

    staged as (
        select
            observations.source,
            observations.release_date,
            coalesce(reporters.economy_code, observations.reporter) as reporter,
            coalesce(partners.economy_code, observations.partner) as partner,
            '_T' as sector,
            observations.item_code as category,
            '_T' as affiliation,
            '_T' as region,
            observations.concept,
            observations.period,
            observations.flow,
            observations.value,
            'USD' as currency,
            6 as unit_multiplier,
            observations.rounding,
            '=' as comparator,
            observations.obs_status,
            'F' as conf_status,
            observations.file_name,
            observations.sheet_name,
            observations.row_number,
            observations.column_name
        from {{ in_changed_partitions(ref("stg_wto_stats__observations")) }} as observations
        left join economy_numbers as reporters on observations.reporter = reporters.m49
        left join economy_numbers as partners on observations.partner = partners.m49
        where observations.measure = 'level'
    ),

    conformed as ({{ conform_codes("staged") }}),

    final as ({{ with_breaks_of_splits("conformed") }})

select *
from final
