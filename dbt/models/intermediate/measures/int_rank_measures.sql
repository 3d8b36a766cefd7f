{{ config(materialized="ephemeral") }}

-- Ranks need every competitor, so they come from sources that cover the world, or from a share
-- above one half, which leaves room for no larger member, or from the one that a text ranks second:
-- whoever is above it is the first.
{%- set key = ["source", "release_date"] + key_columns() %}
with
    claimed_reporters as (select distinct reporter_code from {{ ref("published_claims") }}),

    competing_flows as (
        select
            {{ column_list(key, "flows") }},
            flows.receipts_usd_m,
            flows.payments_usd_m,
            - flows.balance_usd_m as deficit_usd_m,
            case
                when {{ at_total("flows") }} then 'world' else flows.reporter_code
            end as competition,
            claimed_reporters.reporter_code is not null as is_claimed
        from {{ ref("int_flows_by_release") }} as flows
        inner join
            {{ ref("sources") }} as sources
            on flows.source = sources.source
            and sources.covers_world
        inner join
            {{ ref("int_economies") }} as reporters on flows.reporter_code = reporters.economy_code
        inner join
            {{ ref("int_economies") }} as partners on flows.partner_code = partners.economy_code
        left join claimed_reporters on flows.reporter_code = claimed_reporters.reporter_code
        where
            {{ at_total("flows", but=["partner"]) }}
            and reporters.kind = 'country'
            and (
                flows.partner_code = 'WLD'
                or (partners.kind = 'country' and claimed_reporters.reporter_code is not null)
            )
    ),

    ranks as (
        {%- for flow in ["receipts", "payments", "deficit"] %}
            select
                {{ column_list(key) }},
                is_claimed,
                'rank_by_{{ flow }}' as measure,
                rank() over (
                    partition by source, release_date, concept, period, competition
                    order by {{ flow }}_usd_m desc
                ) as found_rank,
                count(*) over (
                    partition by source, release_date, concept, period, competition
                ) as competitors
            from competing_flows
            where {{ flow }}_usd_m is not null {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    majorities as (
        select {{ column_list(key) }}, replace(measure, '_share_pct', '') as flow
        from {{ ref("int_share_measures") }}
        where
            measure in ('receipts_share_pct', 'payments_share_pct')
            and found_value - half_width > 50
        union
        select {{ column_list(key) }}, flow
        from {{ ref("int_stated_rates") }}
        where
            measure = 'share_pct'
            and comparator = '='
            and flow in ('receipts', 'payments')
            and cast(value as double) / 100 - cast(rounding as double) / 200 > 0.5
    ),

    levels as (
        select {{ column_list(key) }}, currency, measure, found_value, half_width
        from {{ ref("int_levels_by_release") }}
        where is_narrowest and measure in ('receipts', 'payments')
    ),

    seconds as (
        select {{ column_list(key) }}, flow as measure
        from {{ ref("int_stated_rates") }}
        where measure = 'rank' and value = 2 and comparator = '='
    ),

    ahead_of_the_second as (
        select {{ column_list(key, "ahead") }}, ahead.measure
        from seconds
        inner join levels as second on {{ equal_on("seconds", "second", key + ["measure"]) }}
        inner join
            levels as ahead
            on {{
                equal_on(
                    "second",
                    "ahead",
                    key | reject("equalto", "reporter_code") | list + ["currency", "measure"],
                )
            }}
            and second.reporter_code <> ahead.reporter_code
        where
            {{ at_total("second") }}
            and ahead.found_value - ahead.half_width > second.found_value + second.half_width
    ),

    final as (
        select {{ column_list(key) }}, measure, 'rank' as method, found_rank
        from ranks
        where is_claimed and competitors >= {{ var("rank_needs_competitors") }}
        union all
        select {{ column_list(key) }}, 'rank_by_' || flow, 'share above one half', 1
        from majorities
        union all
        select {{ column_list(key) }}, 'rank_by_' || measure, 'larger than the second', 1
        from ahead_of_the_second
    )

select
    {{ column_list(key) }},
    measure,
    'rank' as unit,
    method,
    false as is_stated,
    cast(found_rank as double) as found_value,
    0e0 as half_width
from final
