-- Which source to use where several state the same: per reporter, period and concept, for each
-- dimension that is broken down, the statements (one source and release each) in the order in which
-- they count. A total and its parts are of one statement: they never mix sources or releases.
{{ config(meta={"parts": {"dimension": "dimension", "source": "source"}}) }}
{%- set context = ["dimension", "reporter_code", "period", "frequency", "concept"] %}
{%- set statement = context + ["source", "release_date"] %}
with
    flows_as_money as (
        select
            {{ column_list(["source", "release_date"] + key_columns(), "flows") }},
            {{ flows_as_money("flows") }}
        from {{ ref("fct_royalty_flows") }} as flows
    ),

    flows as (
        {{ by_member("flows_as_money", statement[1:] + ["receipts_usd_m", "payments_usd_m"]) }}
    ),

    -- A statement is as complete as its members are; without members, as its total is.
    levels as (
        select
            {{ column_list(statement) }},
            max(case when is_total then 0 else 1 end) = 1 as has_members,
            {%- for flow in ["receipts", "payments"] %}
                max(case when is_total then {{ flow }}_usd_m end) as total_{{ flow }}_usd_m,
                max(
                    case when not is_total then {{ flow }}_usd_m end
                ) as largest_{{ flow }}_usd_m{{ "," if not loop.last }}
            {%- endfor %}
        from flows
        group by {{ column_list(statement) }}
    ),

    statements as (
        select
            {{ column_list(statement) }},
            has_members,
            {%- for flow in ["receipts", "payments"] %}
                case
                    when has_members then largest_{{ flow }}_usd_m else total_{{ flow }}_usd_m
                end as {{ flow }}_usd_m{{ "," if not loop.last }}
            {%- endfor %}
        from levels
    ),

    final as (
        select
            {{ column_list(statement, "statements") }},
            statements.has_members,
            statements.receipts_usd_m is not null as states_receipts,
            statements.payments_usd_m is not null as states_payments,
            cast(
                row_number() over (
                    partition by {{ column_list(context, "statements") }}
                    order by
                        case when statements.has_members then 0 else 1 end,
                        {{ preferred_statement_first("statements", "sources", is_breakdown=true) }}
                ) as int
            ) as place
        from statements
        inner join {{ ref("dim_source") }} as sources on statements.source = sources.source
    )

select
    dimension,
    reporter_code,
    period,
    frequency,
    concept,
    source,
    release_date,
    has_members,
    states_receipts,
    states_payments,
    place,
    place = 1 as preferred
from final
order by reporter_code, period, dimension, concept, place
