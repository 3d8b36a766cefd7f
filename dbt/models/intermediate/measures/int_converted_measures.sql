{{ config(materialized="ephemeral") }}

-- Levels in the currencies that claims are in. The deviation of the rate adds to the uncertainty of
-- a converted level.
{%- set key = ["source", "release_date"] + key_columns() %}
with
    claim_currencies as (
        select distinct unit as currency
        from {{ ref("published_claims") }}
        where {{ is_currency("unit") }}
    ),

    -- An annual average without a deviation does not say how far off it may be.
    rates as (
        select currency, period, units_per_usd, relative_deviation
        from {{ ref("int_exchange_rates") }}
        where relative_deviation is not null
    ),

    final as (
        select
            {{ column_list(key, "levels") }},
            levels.measure,
            claim_currencies.currency as unit,
            levels.method || ', converted from ' || levels.currency as method,
            levels.is_stated,
            levels.found_value * to_rates.units_per_usd / from_rates.units_per_usd as found_value,
            (
                levels.half_width
                + abs(levels.found_value)
                * (to_rates.relative_deviation + from_rates.relative_deviation)
            )
            * to_rates.units_per_usd
            / from_rates.units_per_usd as half_width
        from {{ ref("int_levels_by_release") }} as levels
        inner join claim_currencies on levels.currency <> claim_currencies.currency
        inner join
            rates as from_rates
            on levels.currency = from_rates.currency
            and levels.period = from_rates.period
        inner join
            rates as to_rates
            on claim_currencies.currency = to_rates.currency
            and levels.period = to_rates.period
    )

select {{ column_list(key) }}, measure, unit, method, is_stated, found_value, half_width
from final
