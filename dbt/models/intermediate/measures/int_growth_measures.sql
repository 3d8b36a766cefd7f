{{ config(materialized="ephemeral") }}

-- Growth over the year before in percent; for the balance, which may be negative, its change. A
-- growth that the release states is no answer to itself.
{%- set key = ["source", "release_date"] + key_columns() %}
with
    final as (
        select
            {{ column_list(key) }},
            measure || '_growth_pct' as measure,
            'percent' as unit,
            method,
            false as is_stated,
            100 * (level / previous - 1) as found_value,
            100
            * {{ quotient_half_width("level", "level_half", "previous", "previous_half") }}
            as half_width
        from {{ ref("int_levels_of_two_years") }}
        where
            measure in ('receipts', 'payments', 'total_trade')
            and previous > previous_half
            and not is_own_change
        union all
        select
            {{ column_list(key) }},
            'balance_change' as measure,
            currency as unit,
            method,
            false as is_stated,
            level - previous as found_value,
            level_half + previous_half as half_width
        from {{ ref("int_levels_of_two_years") }}
        where measure = 'balance' and not is_own_change
    )

select {{ column_list(key) }}, measure, unit, method, is_stated, found_value, half_width
from final
