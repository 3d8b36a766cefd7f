{{ config(materialized="ephemeral") }}

-- Levels with those of the year before: two levels of the release or, for the balance and total
-- trade, a level and the one derived from growth of receipts and payments: level / (1 + growth /
-- 100).
{%- set key = ["source", "release_date"] + key_columns() %}
{%- set series = key | reject("equalto", "period") | list %}
with
    levels as (
        select {{ column_list(key) }}, currency, measure, found_value, half_width
        from {{ ref("int_levels_by_release") }}
        where is_narrowest
    ),

    stated_growth as (
        select
            {{ column_list(key) }},
            flow as measure,
            1 + cast(max(value) as double) / 100 as factor,
            cast(max(rounding) as double) / 200 as factor_half
        from {{ ref("int_stated_rates") }}
        where
            measure = 'growth_pct'
            and flow in ('receipts', 'payments')
            and comparator = '='
            and value > -100
        group by {{ column_list(key) }}, flow
    ),

    levels_before as (
        select
            {{ column_list(key, "levels") }},
            levels.currency,
            levels.measure,
            levels.found_value / stated_growth.factor as found_value,
            {{
                quotient_half_width(
                    "levels.found_value",
                    "levels.half_width",
                    "stated_growth.factor",
                    "stated_growth.factor_half",
                )
            }} as half_width
        from levels
        inner join stated_growth on {{ equal_on("levels", "stated_growth", key + ["measure"]) }}
    ),

    final as (
        select
            {{ column_list(key, "levels") }},
            levels.currency,
            levels.measure,
            'levels of two years' as method,
            levels.found_value as level,
            levels.half_width as level_half,
            previous.found_value as previous,
            previous.half_width as previous_half
        from levels
        inner join
            levels as previous
            on {{ equal_on("levels", "previous", series + ["currency", "measure"]) }}
            and {{ period_year_before("levels.period") }} = previous.period
        union all
        select
            {{ column_list(key, "levels") }},
            levels.currency,
            levels.measure,
            'levels and growth of receipts and payments' as method,
            levels.found_value as level,
            levels.half_width as level_half,
            case
                when levels.measure = 'balance'
                then receipts.found_value - payments.found_value
                else receipts.found_value + payments.found_value
            end as previous,
            receipts.half_width + payments.half_width as previous_half
        from levels
        inner join
            levels_before as receipts
            on {{ equal_on("levels", "receipts", key + ["currency"]) }}
            and receipts.measure = 'receipts'
        inner join
            levels_before as payments
            on {{ equal_on("levels", "payments", key + ["currency"]) }}
            and payments.measure = 'payments'
        where levels.measure in ('balance', 'total_trade')
    )

select {{ column_list(key) }}, currency, measure, method, level, level_half, previous, previous_half
from final
