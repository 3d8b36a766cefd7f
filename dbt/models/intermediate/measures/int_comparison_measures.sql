{{ config(materialized="ephemeral") }}

-- Measures that compare two numbers of one release: with another economy (a ratio), with an earlier
-- period (a change since), of receipts with payments (the lead in growth), of a share with its own
-- past (the peak). `compared_with` is that economy or period, and _Z where the measure says it all.
{%- set key = ["source", "release_date"] + key_columns() %}
{%- set series = key | reject("equalto", "period") | list %}
with
    claims as (
        select distinct
            measure,
            reporter_code,
            partner_code,
            cast(period as string) as period,
            cast(compared_with as string) as compared_with
        from {{ ref("published_claims") }}
        where compared_with is not null
    ),

    levels as (
        select {{ column_list(key) }}, currency, measure, found_value, half_width
        from {{ ref("int_levels_by_release") }}
        where is_narrowest
    ),

    claimed_levels as (
        select
            {{ column_list(key, "levels") }},
            levels.currency,
            levels.measure as level_measure,
            levels.found_value,
            levels.half_width,
            claims.measure,
            claims.compared_with
        from levels
        inner join
            claims
            on {{ equal_on("levels", "claims", ["reporter_code", "partner_code", "period"]) }}
            and claims.measure like levels.measure || '%'
    ),

    ratios as (
        select
            {{ column_list(key, "levels") }},
            levels.compared_with,
            levels.measure,
            'times' as unit,
            'one / other' as method,
            levels.found_value / others.found_value as found_value,
            {{
                quotient_half_width(
                    "levels.found_value",
                    "levels.half_width",
                    "others.found_value",
                    "others.half_width",
                )
            }} as half_width
        from claimed_levels as levels
        inner join
            levels as others
            on {{
                equal_on(
                    "levels",
                    "others",
                    key | reject("in", ["reporter_code", "partner_code"]) | list + ["currency"],
                )
            }}
            and levels.level_measure = others.measure
            and others.reporter_code = case
                when levels.partner_code = 'WLD' then levels.compared_with else levels.reporter_code
            end
            and others.partner_code
            = case when levels.partner_code = 'WLD' then 'WLD' else levels.compared_with end
        where
            levels.measure = levels.level_measure || '_ratio'
            and abs(others.found_value) > others.half_width
    ),

    levels_since as (
        select
            {{ column_list(key, "levels") }},
            levels.currency,
            levels.compared_with,
            levels.measure,
            levels.level_measure,
            levels.found_value,
            levels.half_width,
            earlier.found_value as earlier,
            earlier.half_width as earlier_half
        from claimed_levels as levels
        inner join
            levels as earlier
            on {{ equal_on("levels", "earlier", series + ["currency"]) }}
            and levels.level_measure = earlier.measure
            and levels.compared_with = earlier.period
    ),

    changes_since as (
        select
            {{ column_list(key) }},
            compared_with,
            measure,
            'percent' as unit,
            'change since ' || compared_with as method,
            100 * (found_value - earlier) / abs(earlier) as found_value,
            100
            * {{ quotient_half_width("found_value", "half_width", "earlier", "earlier_half") }}
            as half_width
        from levels_since
        where measure = level_measure || '_change_since_pct' and abs(earlier) > earlier_half
    ),

    -- The part of the whole's increase that is the increase of one member.
    increases as (
        select
            {{ column_list(key, "parts") }},
            parts.compared_with,
            parts.measure,
            parts.found_value - parts.earlier as part,
            parts.half_width + parts.earlier_half as part_half,
            wholes.found_value - earlier_wholes.found_value as whole,
            wholes.half_width + earlier_wholes.half_width as whole_half
        from levels_since as parts
        inner join
            levels as wholes
            on {{ part_of_whole("parts", "wholes") }}
            and parts.level_measure = wholes.measure
            and parts.currency = wholes.currency
        inner join
            levels as earlier_wholes
            on {{ equal_on("wholes", "earlier_wholes", series + ["currency", "measure"]) }}
            and parts.compared_with = earlier_wholes.period
        where parts.measure = parts.level_measure || '_increase_share_pct'
    ),

    shares as (
        select {{ column_list(key) }}, measure, found_value, half_width
        from {{ ref("int_share_measures") }}
        where measure = 'receipts_share_pct'
    ),

    shares_since as (
        select
            {{ column_list(key, "shares") }},
            claims.compared_with,
            claims.measure,
            'percent' as unit,
            'change of the share since ' || claims.compared_with as method,
            shares.found_value - earlier.found_value as found_value,
            shares.half_width + earlier.half_width as half_width
        from shares
        inner join
            claims
            on {{ equal_on("shares", "claims", ["reporter_code", "partner_code", "period"]) }}
            and claims.measure = 'receipts_share_change_since'
        inner join
            shares as earlier
            on {{ equal_on("shares", "earlier", series) }}
            and claims.compared_with = earlier.period
    ),

    numbered_shares as (
        select
            {{ column_list(key) }},
            row_number() over (
                partition by {{ column_list(series) }} order by found_value desc, period
            ) as largest_first,
            max(period) over (partition by {{ column_list(series) }}) as last_period
        from shares
        where frequency = 'A'
    ),

    -- In its last year, a share may still be rising.
    peaks as (
        select
            {{ column_list(key) }},
            '_Z' as compared_with,
            'receipts_share_peak_year' as measure,
            'year' as unit,
            'year of the largest share' as method,
            cast(period as double) as found_value,
            0e0 as half_width
        from numbered_shares
        where largest_first = 1 and period < last_period
    ),

    growth as (
        select
            {{ column_list(key) }},
            flow,
            'stated growth' as method,
            cast(value as double) as found_value,
            cast(rounding as double) / 2 as half_width
        from {{ ref("int_stated_rates") }}
        where measure = 'growth_pct' and comparator = '=' and flow in ('receipts', 'payments')
        union all
        select
            {{ column_list(key) }},
            replace(measure, '_growth_pct', '') as flow,
            method,
            found_value,
            half_width
        from {{ ref("int_growth_measures") }}
        where measure in ('receipts_growth_pct', 'payments_growth_pct')
    ),

    numbered_growth as (
        select
            {{ column_list(key) }},
            flow,
            method,
            found_value,
            half_width,
            row_number() over (
                partition by {{ column_list(key) }}, flow order by half_width, method
            ) as narrowest_first
        from growth
        where half_width is not null
    ),

    leads as (
        select
            {{ column_list(key, "receipts") }},
            '_Z' as compared_with,
            'receipts_growth_lead' as measure,
            'percent' as unit,
            'receipts - payments, ' || receipts.method as method,
            receipts.found_value - payments.found_value as found_value,
            receipts.half_width + payments.half_width as half_width
        from numbered_growth as receipts
        inner join numbered_growth as payments on {{ equal_on("receipts", "payments", key) }}
        where
            receipts.flow = 'receipts'
            and payments.flow = 'payments'
            and receipts.narrowest_first = 1
            and payments.narrowest_first = 1
    ),

    final as (
        {%- for kind in ["ratios", "changes_since", "shares_since", "peaks", "leads"] %}
            select
                {{ column_list(key) }},
                compared_with,
                measure,
                unit,
                method,
                found_value,
                half_width
            from {{ kind }}
            union all
        {%- endfor %}
        select
            {{ column_list(key) }},
            compared_with,
            measure,
            'percent',
            'part / total, of the change since ' || compared_with,
            100 * part / whole,
            100 * {{ quotient_half_width("part", "part_half", "whole", "whole_half") }}
        from increases
        where whole > whole_half
    )

select
    {{ column_list(key) }},
    compared_with,
    measure,
    unit,
    method,
    false as is_stated,
    found_value,
    half_width
from final
