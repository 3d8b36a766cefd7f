{{ config(materialized="ephemeral") }}

-- Levels with those of the year before: as the release states them, or from what it states about
-- the
-- change. A level / (1 + growth / 100) and a balance - change are levels of the year before; what
-- these say of one flow follows for the others by the same identities as between levels. Where the
-- year before follows from the change of the same flow, the two years show nothing but that change.
{%- set key = ["source", "release_date"] + key_columns() %}
{%- set series = key | reject("equalto", "period") | list %}
{%- set flows = {
    "receipts": "receipts",
    "payments": "payments",
    "balance": "balance",
    "total": "total_trade",
} %}
with
    levels as (
        select
            {{ column_list(key) }},
            currency,
            measure,
            found_value,
            half_width,
            case
                when method like '%sum% of shorter periods'
                then ', of sums of shorter periods'
                else ''
            end as of_sums
        from {{ ref("int_levels_by_release") }}
        where is_narrowest
    ),

    stated_changes as (
        select
            {{ column_list(key) }},
            case when flow = 'total' then 'total_trade' else flow end as measure,
            max(case when measure = 'change' then cast(value as double) end) as change,
            max(case when measure = 'change' then cast(rounding as double) / 2 end) as change_half,
            max(
                case when measure = 'growth_pct' then 1 + cast(value as double) / 100 end
            ) as factor,
            max(
                case when measure = 'growth_pct' then cast(rounding as double) / 200 end
            ) as factor_half,
            max(currency) as currency
        from {{ ref("int_stated_rates") }}
        where
            comparator = '='
            and (
                (flow <> 'balance' and measure = 'growth_pct' and value > -100)
                or (flow = 'balance' and measure = 'change')
            )
        group by {{ column_list(key) }}, flow
    ),

    levels_before as (
        select
            {{ column_list(key, "levels") }},
            levels.currency,
            levels.measure,
            case
                when levels.measure = 'balance'
                then levels.found_value - changes.change
                else levels.found_value / changes.factor
            end as found_value,
            case
                when levels.measure = 'balance'
                then levels.half_width + changes.change_half
                else
                    {{
                        quotient_half_width(
                            "levels.found_value",
                            "levels.half_width",
                            "changes.factor",
                            "changes.factor_half",
                        )
                    }}
            end as half_width
        from levels
        inner join
            stated_changes as changes
            on {{ equal_on("levels", "changes", key + ["measure"]) }}
            and (levels.measure <> 'balance' or levels.currency = changes.currency)
    ),

    flows_before as (
        select
            {{ column_list(key) }},
            currency,
            {%- for flow, measure in flows.items() %}
                max(case when measure = '{{ measure }}' then found_value end) as {{ flow }},
                max(
                    case when measure = '{{ measure }}' then half_width end
                ) as {{ flow }}_half{{ "," if not loop.last }}
            {%- endfor %}
        from levels_before
        group by {{ column_list(key) }}, currency
    ),

    identities as ({{ flow_identities() }}),

    derived_before as (
        select
            {{ column_list(key, "flows_before") }},
            flows_before.currency,
            identities.measure,
            case
                when identities.method <> 'as stated'
                then identities.method || ' of the year before'
                when identities.measure = 'balance'
                then 'level - change'
                else 'level / (1 + growth)'
            end as method,
            identities.method = 'as stated' as is_own_change,
            {{ identity_value("identities", "flows_before") }} as found_value,
            {{ identity_value("identities", "flows_before", half_width=true) }} as half_width
        from flows_before
        cross join identities
    ),

    final as (
        select
            {{ column_list(key, "levels") }},
            levels.currency,
            levels.measure,
            'levels of two years' || levels.of_sums as method,
            false as is_derived,
            false as is_own_change,
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
            derived_before.method,
            true as is_derived,
            derived_before.is_own_change,
            levels.found_value as level,
            levels.half_width as level_half,
            derived_before.found_value as previous,
            derived_before.half_width as previous_half
        from levels
        inner join
            derived_before
            on {{ equal_on("levels", "derived_before", key + ["currency", "measure"]) }}
        where derived_before.found_value is not null
    )

select
    {{ column_list(key) }},
    currency,
    measure,
    method,
    is_derived,
    is_own_change,
    level,
    level_half,
    previous,
    previous_half
from final
