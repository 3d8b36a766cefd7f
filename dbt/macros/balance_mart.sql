{#- Receipts, payments and balance broken down by one dimension, every other dimension at its total. The total's own
    row stands beside its parts (its shares are 100) and takes no rank. -#}
{% macro balance_mart(dimension) -%}
    {%- set code = dimension ~ "_code" -%}
    {%- set name = dimension ~ "_name" -%}
    {%- set members = {
        "partner": "members.kind = 'country'",
        "sector": "members.sector_level in ('section', 'division')",
        "category": "members.kind = 'ebops' and members.category_code <> 'SH'",
        "affiliation": "members.affiliation_code not in ('_T', '_U')",
        "region": "members.region_code not in ('_T', '_U')",
    } -%}
    {%- set levels = {
        "sector": "members.sector_level",
        "region": "members.region_type",
    } -%}
    {%- set row_key = ["source", "concept", "reporter_code", code, "period"] -%}
    {%- set ranked_within = ["source", "concept", "reporter_code", "period"] + (
        ["ranking_level"] if dimension in levels else []
    ) -%}
    with
        flows as (
            select
                flows.source,
                flows.concept,
                flows.reporter_code,
                flows.{{ code }},
                flows.period,
                flows.frequency,
                {{ flows_as_money("flows") }},
                flows.is_computed
            from {{ ref("fct_royalty_flows") }} as flows
            where {{ at_total("flows", but=[dimension]) }}
        ),

        totals as (
            select
                source,
                concept,
                reporter_code,
                period,
                receipts_usd_m,
                payments_usd_m,
                balance_usd_m
            from flows
            where {{ code }} = {{ total_of(dimension) }}
        ),

        -- Where one source alone states a series it is the preferred one; the others are chosen
        -- from,
        -- the most complete first: one that states receipts alone is no substitute for one that
        -- states both sides.
        contested_series as (
            select reporter_code, {{ code }}, concept
            from flows
            group by reporter_code, {{ code }}, concept
            having min(source) < max(source)
        ),

        contested_flows as (
            select
                {{ column_list(row_key, "flows") }},
                row_number() over (
                    partition by flows.reporter_code, flows.{{ code }}, flows.period, flows.concept
                    order by
                        case when flows.receipts_usd_m is null then 1 else 0 end
                        + case when flows.payments_usd_m is null then 1 else 0 end,
                        sources.precedence,
                        flows.source
                )
                = 1 as preferred
            from flows
            inner join
                contested_series
                on {{ equal_on("flows", "contested_series", ["reporter_code", code, "concept"]) }}
            inner join {{ ref("dim_source") }} as sources on flows.source = sources.source
        ),

        -- Growth that a text states beside a level tells the level of the year before.
        derived_year_before as (
            select
                {{ column_list(row_key, "derived") }},
                max(
                    case when derived.flow = 'receipts' then derived.value_usd_m end
                ) as previous_receipts_usd_m,
                max(
                    case when derived.flow = 'payments' then derived.value_usd_m end
                ) as previous_payments_usd_m
            from {{ ref("int_levels_year_before") }} as derived
            where {{ at_total("derived", but=[dimension]) }}
            group by {{ column_list(row_key, "derived") }}
        ),

        with_context as (
            select
                {{ column_list(row_key, "flows") }},
                flows.frequency,
                members.{{ name }},
                coalesce({{ members[dimension] }}, false) as is_ranked,
                {{ levels.get(dimension, "null") }} as ranking_level,
                coalesce(contested_flows.preferred, true) as preferred,
                flows.receipts_usd_m,
                flows.payments_usd_m,
                flows.balance_usd_m,
                flows.is_computed,
                totals.receipts_usd_m as total_receipts_usd_m,
                totals.payments_usd_m as total_payments_usd_m,
                totals.balance_usd_m as total_balance_usd_m,
                previous.balance_usd_m as previous_balance_usd_m,
                previous.receipts_usd_m as known_previous_receipts_usd_m,
                previous.payments_usd_m as known_previous_payments_usd_m,
                derived_year_before.previous_receipts_usd_m as derived_previous_receipts_usd_m,
                derived_year_before.previous_payments_usd_m as derived_previous_payments_usd_m
            from flows
            inner join {{ ref("dim_period") }} as periods on flows.period = periods.period
            left join contested_flows on {{ equal_on("flows", "contested_flows", row_key) }}
            left join
                {{ ref("dim_" ~ dimension) }} as members on flows.{{ code }} = members.{{ code }}
            left join
                totals
                on {{
                    equal_on(
                        "flows",
                        "totals",
                        ["source", "concept", "reporter_code", "period"],
                    )
                }}
            left join
                flows as previous
                on {{
                    equal_on(
                        "flows",
                        "previous",
                        ["source", "concept", "reporter_code", code],
                    )
                }}
                and periods.year_before = previous.period
            left join derived_year_before on {{ equal_on("flows", "derived_year_before", row_key) }}
        ),

        with_previous as (
            select
                {{ column_list(row_key) }},
                frequency,
                {{ name }},
                is_ranked,
                ranking_level,
                preferred,
                receipts_usd_m,
                payments_usd_m,
                balance_usd_m,
                is_computed,
                total_receipts_usd_m,
                total_payments_usd_m,
                total_balance_usd_m,
                previous_balance_usd_m,
                coalesce(
                    known_previous_receipts_usd_m, derived_previous_receipts_usd_m
                ) as previous_receipts_usd_m,
                coalesce(
                    known_previous_payments_usd_m, derived_previous_payments_usd_m
                ) as previous_payments_usd_m,
                (
                    known_previous_receipts_usd_m is null
                    and derived_previous_receipts_usd_m is not null
                )
                or (
                    known_previous_payments_usd_m is null
                    and derived_previous_payments_usd_m is not null
                ) as previous_is_derived
            from with_context
        ),

        final as (
            select
                reporter_code,
                {{ code }},
                {{ name }},
                period,
                frequency,
                source,
                concept,
                preferred,
                receipts_usd_m,
                payments_usd_m,
                balance_usd_m,
                {{ share_pct("receipts_usd_m", "total_receipts_usd_m") }} as share_of_receipts_pct,
                {{ share_pct("payments_usd_m", "total_payments_usd_m") }} as share_of_payments_pct,
                {{ share_pct("balance_usd_m", "total_balance_usd_m") }} as share_of_balance_pct,
                {%- for flow in ["receipts", "payments"] %}
                    case
                        when is_ranked and {{ flow }}_usd_m is not null
                        then
                            rank() over (
                                partition by {{ column_list(ranked_within) }}
                                order by
                                    case when is_ranked then {{ flow }}_usd_m end desc nulls last
                            )
                    end as rank_by_{{ flow }},
                {%- endfor %}
                {{ growth_pct("receipts_usd_m", "previous_receipts_usd_m") }}
                as receipts_growth_pct,
                {{ growth_pct("payments_usd_m", "previous_payments_usd_m") }}
                as payments_growth_pct,
                {{
                    money(
                        "balance_usd_m - coalesce(previous_balance_usd_m, previous_receipts_usd_m - previous_payments_usd_m)"
                    )
                }}
                as balance_change_usd_m,
                previous_is_derived,
                is_computed
            from with_previous
        )

    select
        reporter_code,
        {{ code }},
        {{ name }},
        period,
        frequency,
        source,
        concept,
        preferred,
        receipts_usd_m,
        payments_usd_m,
        balance_usd_m,
        share_of_receipts_pct,
        share_of_payments_pct,
        share_of_balance_pct,
        rank_by_receipts,
        rank_by_payments,
        receipts_growth_pct,
        payments_growth_pct,
        balance_change_usd_m,
        previous_is_derived,
        is_computed
    from final
    order by reporter_code, period, source, concept, {{ code }}
{%- endmacro %}
