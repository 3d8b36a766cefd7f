{{ config(materialized="ephemeral") }}

-- Levels of parts for which a text states only the share: share x whole.
{%- set key = ["source", "release_date"] + key_columns() %}
with
    shares as (
        select
            {{ column_list(key) }},
            case when flow = 'total' then 'total_trade' else flow end as measure,
            cast(value as double) / 100 as share,
            cast(rounding as double) / 200 as share_half
        from {{ ref("int_stated_rates") }}
        where measure = 'share_pct' and comparator = '='
    ),

    final as (
        select
            {{ column_list(key, "shares") }},
            shares.measure,
            wholes.currency as unit,
            'share x total' as method,
            false as is_stated,
            shares.share * wholes.found_value as found_value,
            (abs(shares.share) + shares.share_half) * (abs(wholes.found_value) + wholes.half_width)
            - abs(shares.share * wholes.found_value) as half_width
        from shares
        inner join
            {{ ref("int_levels_by_release") }} as wholes
            on {{ part_of_whole("shares", "wholes") }}
            and shares.measure = wholes.measure
            and wholes.is_narrowest
    )

select {{ column_list(key) }}, measure, unit, method, is_stated, found_value, half_width
from final
