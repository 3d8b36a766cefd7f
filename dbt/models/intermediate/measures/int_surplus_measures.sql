{{ config(materialized="ephemeral") }}

-- Whether the balance is a surplus (1) or a deficit (-1), and the first year with a surplus: where
-- the year before is known and had none.
{%- set key = ["source", "release_date"] + key_columns() %}
{%- set series = key | reject("equalto", "period") | list %}
with
    balances as (
        select {{ column_list(key) }}, method, is_stated, is_narrowest, found_value, half_width
        from {{ ref("int_levels_by_release") }}
        where measure = 'balance'
    ),

    surplus_years as (
        select {{ column_list(series) }}, min(period) as period
        from balances
        where is_narrowest and frequency = 'A' and found_value > half_width
        group by {{ column_list(series) }}
    ),

    final as (
        select
            {{ column_list(key) }},
            'balance_sign' as measure,
            'sign' as unit,
            method,
            is_stated,
            cast(sign(found_value) as double) as found_value
        from balances
        where abs(found_value) > half_width
        union all
        select
            {{ column_list(key, "surplus_years") }},
            'first_year_in_surplus' as measure,
            'year' as unit,
            'first balance above zero' as method,
            false as is_stated,
            cast(surplus_years.period as double) as found_value
        from surplus_years
        inner join
            balances as year_before
            on {{ equal_on("surplus_years", "year_before", series) }}
            and {{ period_year_before("surplus_years.period") }} = year_before.period
        where year_before.is_narrowest and year_before.found_value <= 0
    )

select {{ column_list(key) }}, measure, unit, method, is_stated, found_value, 0e0 as half_width
from final
