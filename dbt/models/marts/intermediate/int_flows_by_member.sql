-- Receipts, payments and balance in long form: one row per member of each dimension, every other
-- dimension at its total. The total is a row beside its parts (its shares are 100) and has no rank.
{{ config(meta={"partition_by": "source"}) }}
{%- set columns = ["frequency", "currency"] + flow_columns() + ["is_computed"] %}
{%- set statement = [
    "dimension",
    "source",
    "release_date",
    "concept",
    "reporter_code",
    "period",
] %}
{%- set row_key = statement + ["member_code"] %}
{%- set series = [
    "dimension",
    "source",
    "release_date",
    "reporter_code",
    "member_code",
    "concept",
] %}
with
    flows_as_money as (
        select
            {{ column_list(["source", "release_date"] + key_columns(), "flows") }},
            {{ flows_as_money("flows") }},
            {{ flows_as_stated("flows") }},
            flows.is_computed
        from {{ in_changed_partitions(ref("fct_royalty_flows")) }} as flows
    ),

    flows as (
        {{
            by_member(
                "flows_as_money",
                ["source", "release_date", "concept", "reporter_code", "period"] + columns,
            )
        }}
    ),

    -- What competes within a level of one statement, and how much of the total it leaves open. A
    -- category that is not available is within the others, which then do not compare.
    levels as (
        select
            {{ column_list(statement, "flows") }},
            coalesce(members.ranking_level, '') as ranking_level,
            {%- for flow in ["receipts", "payments"] %}
                sum(
                    case
                        when members.is_ranked or members.kind = 'residual'
                        then flows.{{ flow }}_usd_m
                    end
                ) as parts_{{ flow }}_usd_m,
                sum(
                    case
                        when members.is_ranked and flows.{{ flow }}_usd_m is not null then 1 else 0
                    end
                ) as {{ flow }}_competitors,
                max(
                    case
                        when
                            flows.dimension = 'category'
                            and members.is_ranked
                            and flows.{{ flow }}_status = 'L'
                        then 1
                        else 0
                    end
                ) as {{ flow }}_within_others{{ "," if not loop.last }}
            {%- endfor %}
        from flows
        left join
            {{ ref("int_members") }} as members
            on {{ equal_on("flows", "members", ["dimension", "member_code"]) }}
        group by {{ column_list(statement, "flows") }}, coalesce(members.ranking_level, '')
    ),

    totals as (select * from flows where is_total),

    compared_levels as (
        select
            {{ column_list(statement, "levels") }},
            levels.ranking_level,
            preferences.preferred,
            {%- for flow in ["receipts", "payments"] %}
                totals.{{ flow }}_usd_m as total_{{ flow }}_usd_m,
                levels.{{ flow }}_competitors,
                levels.{{ flow }}_within_others,
                totals.{{ flow }}_usd_m
                - coalesce(levels.parts_{{ flow }}_usd_m, 0) as unallocated_{{ flow }}_usd_m,
            {%- endfor %}
            totals.balance_usd_m as total_balance_usd_m
        from levels
        left join totals on {{ equal_on("levels", "totals", statement) }}
        left join
            {{ ref("mart_preferred_sources") }} as preferences
            on {{ equal_on("levels", "preferences", statement) }}
    ),

    -- A level and its growth in one text give the level of the year before.
    derived_levels as (
        {{
            by_member(
                ref("int_levels_year_before"),
                [
                    "source",
                    "release_date",
                    "concept",
                    "reporter_code",
                    "period",
                    "flow",
                    "value_usd_m",
                ],
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

    -- An aggregate is the sum of whoever reported: its level a year before is not what it grew
    -- from. A member that is withheld or not listed may hold all that the total leaves open.
    with_context as (
        select
            {{ column_list(row_key, "flows") }},
            {{ column_list(columns, "flows") }},
            reporters.kind as reporter_kind,
            members.member_name,
            members.kind as member_kind,
            members.ranking_level,
            coalesce(members.is_ranked, false) as is_ranked,
            levels.preferred,
            {%- for flow in ["receipts", "payments"] %}
                levels.total_{{ flow }}_usd_m,
                coalesce(
                    members.is_ranked
                    and flows.{{ flow }}_usd_m is not null
                    and levels.{{ flow }}_competitors >= 2
                    and levels.{{ flow }}_within_others = 0
                    and flows.{{ flow }}_usd_m >= levels.unallocated_{{ flow }}_usd_m,
                    false
                ) as {{ flow }}_rank_is_known,
                levels.{{ flow }}_competitors,
                case
                    when flows.{{ flow }}_status = 'B'
                    then null
                    else coalesce(previous.{{ flow }}_usd_m, derived.{{ flow }}_usd_m)
                end as previous_{{ flow }}_usd_m,
                case
                    when flows.{{ flow }}_status = 'B'
                    then null
                    when flows.currency = previous.currency
                    then previous.{{ flow }}
                    when flows.currency = 'USD'
                    then derived.{{ flow }}_usd_m
                end as previous_{{ flow }},
            {%- endfor %}
            levels.total_balance_usd_m,
            aggregates.reporters_counted_receipts,
            aggregates.reporters_counted_payments,
            aggregates.receipts_growth_pct as aggregate_receipts_growth_pct,
            aggregates.payments_growth_pct as aggregate_payments_growth_pct,
            case
                when 'B' in (flows.receipts_status, flows.payments_status, flows.balance_status)
                then null
                else
                    coalesce(
                        previous.balance_usd_m,
                        coalesce(previous.receipts_usd_m, derived.receipts_usd_m)
                        - coalesce(previous.payments_usd_m, derived.payments_usd_m)
                    )
            end as previous_balance_usd_m,
            (previous.receipts_usd_m is null and derived.receipts_usd_m is not null)
            or (
                previous.payments_usd_m is null and derived.payments_usd_m is not null
            ) as previous_is_derived
        from flows
        inner join {{ ref("dim_period") }} as periods on flows.period = periods.period
        inner join
            {{ ref("dim_reporter") }} as reporters on flows.reporter_code = reporters.reporter_code
        left join
            {{ ref("int_members") }} as members
            on {{ equal_on("flows", "members", ["dimension", "member_code"]) }}
        inner join
            compared_levels as levels
            on {{ equal_on("flows", "levels", statement) }}
            and coalesce(members.ranking_level, '') = levels.ranking_level
        left join
            flows as previous
            on {{ equal_on("flows", "previous", series) }}
            -- Equalities alone: DuckDB compares every row with every other one for a condition on
            -- one side of an outer join.
            and case when reporters.kind <> 'aggregate' then periods.year_before end
            = previous.period
        left join derived_year_before as derived on {{ equal_on("flows", "derived", row_key) }}
        left join
            {{ ref("int_aggregate_growth") }} as aggregates
            on {{ equal_on("flows", "aggregates", ["source", "concept", "reporter_code"]) }}
            and case when flows.is_total then flows.period end = aggregates.period
    ),

    final as (
        select
            {{ column_list(row_key + columns) }},
            reporter_kind,
            member_name,
            member_kind,
            preferred,
            {{ share_pct("receipts_usd_m", "total_receipts_usd_m") }} as share_of_receipts_pct,
            {{ share_pct("payments_usd_m", "total_payments_usd_m") }} as share_of_payments_pct,
            {{ share_pct("balance_usd_m", "total_balance_usd_m") }} as share_of_balance_pct,
            {%- for flow in ["receipts", "payments"] %}
                case
                    when {{ flow }}_rank_is_known
                    then
                        cast(
                            rank() over (
                                partition by {{ column_list(statement) }}, ranking_level
                                order by
                                    case when is_ranked then {{ flow }}_usd_m end desc nulls last
                            ) as bigint
                        )
                end as rank_by_{{ flow }},
                case
                    when {{ flow }}_rank_is_known then cast({{ flow }}_competitors as bigint)
                end as {{ flow }}_ranked_among,
                coalesce(
                    aggregate_{{ flow }}_growth_pct,
                    {{ growth_pct(flow ~ "_usd_m", "previous_" ~ flow ~ "_usd_m") }}
                ) as {{ flow }}_growth_pct,
                coalesce(
                    case when currency = 'USD' then aggregate_{{ flow }}_growth_pct end,
                    {{ growth_pct(flow, "previous_" ~ flow) }}
                ) as {{ flow }}_growth_stated_pct,
                reporters_counted_{{ flow }},
            {%- endfor %}
            {{ money("balance_usd_m - previous_balance_usd_m") }} as balance_change_usd_m,
            previous_is_derived
        from with_context
    )

select
    {{ column_list(row_key + columns) }},
    reporter_kind,
    member_name,
    member_kind,
    preferred,
    share_of_receipts_pct,
    share_of_payments_pct,
    share_of_balance_pct,
    rank_by_receipts,
    receipts_ranked_among,
    rank_by_payments,
    payments_ranked_among,
    receipts_growth_pct,
    payments_growth_pct,
    receipts_growth_stated_pct,
    payments_growth_stated_pct,
    balance_change_usd_m,
    reporters_counted_receipts,
    reporters_counted_payments,
    previous_is_derived
from final
