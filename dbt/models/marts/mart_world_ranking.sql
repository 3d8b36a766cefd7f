-- Countries ranked against each other by their totals with the world. Aggregates are never ranked.
{{ config(meta={"reads": {"breakdown": ["total"]}}) }}
{%- set columns = [
    "period",
    "frequency",
    "reporter_code",
    "reporter_name",
    "reporter_kind",
    "source",
    "release_date",
    "concept",
    "currency",
    "receipts_status",
    "payments_status",
    "balance_status",
    "receipts_comparator",
    "payments_comparator",
    "balance_comparator",
    "is_computed",
] %}
{%- set statement = ["source", "concept", "period"] %}
with
    totals as (
        select
            flows.period,
            periods.year_before,
            flows.frequency,
            flows.reporter_code,
            reporters.reporter_name,
            reporters.kind as reporter_kind,
            flows.source,
            flows.release_date,
            flows.concept,
            {{ flows_as_money("flows") }},
            {{ flows_as_stated("flows") }},
            flows.is_computed
        from {{ ref("fct_royalty_flows") }} as flows
        inner join {{ ref("dim_period") }} as periods on flows.period = periods.period
        inner join
            {{ ref("dim_reporter") }} as reporters on flows.reporter_code = reporters.reporter_code
        where {{ at_total("flows") }}
    ),

    -- What competes within a statement, and how much of the world's total countries leave open. A
    -- withheld balance may be of any size.
    rankings as (
        select
            {{ column_list(statement) }},
            {%- for flow in ["receipts", "payments", "balance"] %}
                count(
                    case when reporter_kind = 'country' then {{ flow }}_usd_m end
                ) as {{ flow }}_competitors,
                sum(
                    case
                        when reporter_kind = 'country' and {{ flow }}_status = 'Q' then 1 else 0
                    end
                ) as {{ flow }}_withheld,
                {%- if flow != "balance" %}
                    max(case when reporter_code = 'WLD' then {{ flow }}_usd_m end) - sum(
                        case when reporter_kind = 'country' then {{ flow }}_usd_m end
                    ) as unallocated_{{ flow }}_usd_m,
                {%- endif %}
            {%- endfor %}
            count(case when reporter_kind = 'country' then 1 end) as reporters_ranked
        from totals
        group by {{ column_list(statement) }}
    ),

    periods as (
        select source, concept, period, max(year_before) as year_before
        from totals
        group by source, concept, period
    ),

    -- A country without a figure that had one the year before may still be where it was. A withheld
    -- one is among the competitors.
    blank as (
        select
            {{ column_list(statement, "periods") }},
            {%- for flow in ["receipts", "payments", "balance"] %}
                max(
                    case
                        when
                            totals.{{ flow }}_usd_m is null
                            and coalesce(totals.{{ flow }}_status, '') <> 'Q'
                        then previous.{{ flow }}_usd_m
                    end
                ) as largest_blank_{{ flow }}_usd_m{{ "," if not loop.last }}
            {%- endfor %}
        from periods
        inner join
            totals as previous
            on {{ equal_on("periods", "previous", ["source", "concept"]) }}
            and periods.year_before = previous.period
            and previous.reporter_kind = 'country'
        left join
            totals
            on {{ equal_on("periods", "totals", statement) }}
            and previous.reporter_code = totals.reporter_code
        group by {{ column_list(statement, "periods") }}
    ),

    with_context as (
        select
            {{ column_list(columns, "totals") }},
            {%- for flow in ["receipts", "payments", "balance"] %}
                totals.{{ flow }}_usd_m,
                totals.{{ flow }},
                coalesce(
                    totals.{{ flow }}_usd_m is not null
                    and rankings.{{ flow }}_competitors >= {{ var("rank_needs_competitors") }}
                    and (
                        rankings.{{ flow }}_withheld = 0
                        {%- if flow != "balance" %}
                            or totals.{{ flow }}_usd_m >= rankings.unallocated_{{ flow }}_usd_m
                        {%- endif %}
                    )
                    and (
                        blank.largest_blank_{{ flow }}_usd_m is null
                        or totals.{{ flow }}_usd_m > blank.largest_blank_{{ flow }}_usd_m
                    ),
                    false
                ) as {{ flow }}_rank_is_known,
                rankings.{{ flow }}_competitors,
            {%- endfor %}
            rankings.reporters_ranked,
            row_number() over (
                partition by totals.reporter_code, totals.concept, totals.period
                order by {{ preferred_statement_first("totals", "sources") }}
            )
            = 1 as preferred
        from totals
        inner join rankings on {{ equal_on("totals", "rankings", statement) }}
        left join blank on {{ equal_on("totals", "blank", statement) }}
        inner join {{ ref("dim_source") }} as sources on totals.source = sources.source
        where totals.reporter_kind = 'country'
    ),

    final as (
        select
            {{ column_list(columns) }},
            preferred,
            {%- for flow in ["receipts", "payments", "balance"] %}
                {{ flow }}_usd_m,
                {{ flow }},
                case
                    when {{ flow }}_rank_is_known
                    then
                        cast(
                            rank() over (
                                partition by {{ column_list(statement) }}
                                order by
                                    case when {{ flow }}_usd_m is null then 1 else 0 end,
                                    {{ flow }}_usd_m desc
                            ) as bigint
                        )
                end as rank_by_{{ flow }},
                case
                    when {{ flow }}_rank_is_known then cast({{ flow }}_competitors as bigint)
                end as {{ flow }}_ranked_among,
            {%- endfor %}
            cast(reporters_ranked as bigint) as reporters_ranked
        from with_context
    )

select
    period,
    frequency,
    reporter_code,
    reporter_name,
    reporter_kind,
    source,
    release_date,
    concept,
    preferred,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    currency,
    receipts,
    payments,
    balance,
    receipts_status,
    payments_status,
    balance_status,
    receipts_comparator,
    payments_comparator,
    balance_comparator,
    rank_by_receipts,
    receipts_ranked_among,
    rank_by_payments,
    payments_ranked_among,
    rank_by_balance,
    balance_ranked_among,
    reporters_ranked,
    is_computed
from final
order by period, source, concept, rank_by_receipts, reporter_code
