-- Countries ranked against each other by their totals with the world. Aggregates are never ranked.
with
    country_totals as (
        select
            flows.period,
            flows.frequency,
            flows.reporter_code,
            reporters.reporter_name,
            flows.source,
            flows.concept,
            {{ flows_as_money("flows") }},
            flows.is_computed
        from {{ ref("fct_royalty_flows") }} as flows
        inner join
            {{ ref("dim_reporter") }} as reporters on flows.reporter_code = reporters.reporter_code
        where reporters.kind = 'country' and {{ at_total("flows") }}
    ),

    final as (
        select
            period,
            frequency,
            reporter_code,
            reporter_name,
            source,
            concept,
            receipts_usd_m,
            payments_usd_m,
            balance_usd_m,
            {%- for flow in ["receipts", "payments", "balance"] %}
                case
                    when {{ flow }}_usd_m is not null
                    then
                        rank() over (
                            partition by source, concept, period
                            order by
                                case when {{ flow }}_usd_m is null then 1 else 0 end,
                                {{ flow }}_usd_m desc
                        )
                end as rank_by_{{ flow }},
            {%- endfor %}
            count(*) over (partition by source, concept, period) as reporters_ranked,
            is_computed
        from country_totals
    )

select
    period,
    frequency,
    reporter_code,
    reporter_name,
    source,
    concept,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    rank_by_receipts,
    rank_by_payments,
    rank_by_balance,
    reporters_ranked,
    is_computed
from final
order by period, source, concept, rank_by_receipts, reporter_code
