-- Levels of the year before, from a level and its growth stated in the same text: level / (1 +
-- growth / 100). Growth refers to the level in its own currency, so the result is converted at the
-- rate of the year before. The growth of one text does not apply to the level of another, and a
-- bound (more than, about) gives no level.
{{ config(meta={"parts": {"source": "source"}}) }}
{%- set statement = ["source", "release_date"] + key_columns() + ["flow"] %}
{%- set series = ["source"] + key_columns() + ["flow"] %}
with
    -- The most exact of several statements, in US dollars if there is one.
    numbered_levels as (
        select
            {{ column_list(statement) }},
            value,
            currency,
            row_number() over (
                partition by {{ column_list(statement) }}
                order by
                    case when currency = 'USD' then 0 else 1 end,
                    rounding,
                    currency,
                    file_name,
                    row_number
            ) as level_number
        from {{ ref("int_published_figures__observations") }}
        where comparator = '=' and value is not null
    ),

    numbered_growth as (
        select
            {{ column_list(statement) }},
            value,
            row_number() over (
                partition by {{ column_list(statement) }} order by rounding, file_name, row_number
            ) as growth_number
        from {{ ref("int_stated_rates") }}
        where measure = 'growth_pct' and comparator = '=' and value > -100
    ),

    derived as (
        select
            {{ column_list(statement, "levels") }},
            cast(levels.value as double)
            / (1 + cast(growth.value as double) / 100)
            / case when levels.currency = 'USD' then 1 else rates.units_per_usd end as value_usd_m
        from numbered_levels as levels
        inner join numbered_growth as growth on {{ equal_on("levels", "growth", statement) }}
        left join
            {{ ref("int_exchange_rates") }} as rates
            on levels.currency = rates.currency
            and {{ period_year_before("levels.period") }} = rates.period
        where levels.level_number = 1 and growth.growth_number = 1
    ),

    numbered as (
        select
            {{ column_list(statement) }},
            value_usd_m,
            row_number() over (
                partition by {{ column_list(series) }} order by release_date desc
            ) as newest_first
        from derived
        where value_usd_m is not null
    ),

    final as (select {{ column_list(statement) }}, value_usd_m from numbered where newest_first = 1)

select {{ column_list(statement) }}, value_usd_m
from final
