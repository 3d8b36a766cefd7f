-- Receipts, payments and balance in long form: one row per member of each dimension, every other
-- dimension at its total. The total is a row beside its parts (its shares are 100) and has no rank.
{%- set context = ["dimension", "source", "concept", "reporter_code", "period"] %}
{%- set row_key = context + ["member_code"] %}
{%- set series = ["dimension", "reporter_code", "member_code", "concept"] %}
with
    flows_as_money as (
        select
            {{ column_list(["source"] + key_columns(), "flows") }},
            {{ flows_as_money("flows") }},
            flows.is_computed
        from {{ ref("fct_royalty_flows") }} as flows
    ),

    flows as (
        {{
            by_member(
                "flows_as_money",
                [
                    "source",
                    "concept",
                    "reporter_code",
                    "period",
                    "frequency",
                    "receipts_usd_m",
                    "payments_usd_m",
                    "balance_usd_m",
                    "is_computed",
                ],
            )
        }}
    ),

    totals as (
        select {{ column_list(context) }}, receipts_usd_m, payments_usd_m, balance_usd_m
        from flows
        where is_total
    ),

    -- If only one source states a series, it is the preferred one.
    contested_series as (
        select {{ column_list(series) }}
        from flows
        group by {{ column_list(series) }}
        having min(source) < max(source)
    ),

    -- The most complete source comes first: one that states only receipts does not replace one that
    -- states both sides.
    contested_flows as (
        select
            {{ column_list(row_key, "flows") }},
            row_number() over (
                partition by {{ column_list(series + ["period"], "flows") }}
                order by
                    case when flows.receipts_usd_m is null then 1 else 0 end
                    + case when flows.payments_usd_m is null then 1 else 0 end,
                    sources.precedence,
                    flows.source
            )
            = 1 as preferred
        from flows
        inner join contested_series on {{ equal_on("flows", "contested_series", series) }}
        inner join {{ ref("dim_source") }} as sources on flows.source = sources.source
    ),

    -- A level and its growth in one text give the level of the year before.
    derived_levels as (
        {{
            by_member(
                ref("int_levels_year_before"),
                ["source", "concept", "reporter_code", "period", "flow", "value_usd_m"],
            )
        }}
    ),

    derived_year_before as (
        select
            {{ column_list(row_key) }},
            max(case when flow = 'receipts' then value_usd_m end) as receipts_usd_m,
            max(case when flow = 'payments' then value_usd_m end) as payments_usd_m
        from derived_levels
        group by {{ column_list(row_key) }}
    ),

    with_context as (
        select
            {{ column_list(row_key, "flows") }},
            flows.frequency,
            members.member_name,
            coalesce(members.is_ranked, false) as is_ranked,
            members.ranking_level,
            coalesce(contested_flows.preferred, true) as preferred,
            flows.receipts_usd_m,
            flows.payments_usd_m,
            flows.balance_usd_m,
            flows.is_computed,
            totals.receipts_usd_m as total_receipts_usd_m,
            totals.payments_usd_m as total_payments_usd_m,
            totals.balance_usd_m as total_balance_usd_m,
            previous.balance_usd_m as previous_balance_usd_m,
            coalesce(previous.receipts_usd_m, derived.receipts_usd_m) as previous_receipts_usd_m,
            coalesce(previous.payments_usd_m, derived.payments_usd_m) as previous_payments_usd_m,
            (previous.receipts_usd_m is null and derived.receipts_usd_m is not null)
            or (
                previous.payments_usd_m is null and derived.payments_usd_m is not null
            ) as previous_is_derived
        from flows
        inner join {{ ref("dim_period") }} as periods on flows.period = periods.period
        left join contested_flows on {{ equal_on("flows", "contested_flows", row_key) }}
        left join
            {{ ref("int_members") }} as members
            on {{ equal_on("flows", "members", ["dimension", "member_code"]) }}
        left join totals on {{ equal_on("flows", "totals", context) }}
        left join
            flows as previous
            on {{ equal_on("flows", "previous", series + ["source"]) }}
            and periods.year_before = previous.period
        left join derived_year_before as derived on {{ equal_on("flows", "derived", row_key) }}
    ),

    final as (
        select
            {{ column_list(row_key) }},
            member_name,
            frequency,
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
                            partition by {{ column_list(context) }}, ranking_level
                            order by case when is_ranked then {{ flow }}_usd_m end desc nulls last
                        )
                end as rank_by_{{ flow }},
            {%- endfor %}
            {{ growth_pct("receipts_usd_m", "previous_receipts_usd_m") }} as receipts_growth_pct,
            {{ growth_pct("payments_usd_m", "previous_payments_usd_m") }} as payments_growth_pct,
            {{
                money(
                    "balance_usd_m - coalesce(previous_balance_usd_m, previous_receipts_usd_m - previous_payments_usd_m)"
                )
            }}
            as balance_change_usd_m,
            previous_is_derived,
            is_computed
        from with_context
    )

select
    {{ column_list(row_key) }},
    member_name,
    frequency,
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
