{#- What countries state under BPM6 item SH for periods of one frequency, as money: rows with every dimension at its
    total except the one that is broken down (none: totals alone). -#}
{% macro charges_of_countries(frequency, dimension=none) -%}
    select
        flows.reporter_code,
        reporters.reporter_name,
        {{ "flows." ~ dimension ~ "_code" if dimension else "cast('_T' as string)" }}
        as member_code,
        periods.year,
        flows.period,
        periods.year_before,
        flows.source,
        flows.release_date,
        flows.currency,
        {{ flows_as_money("flows") }},
        {{ flows_as_money("flows", unit="") }},
        flows.receipts_status,
        flows.payments_status,
        flows.balance_status,
        flows.receipts_comparator,
        flows.payments_comparator,
        flows.balance_comparator,
        coalesce(flows.receipts, flows.payments, flows.balance) is not null as has_figure,
        'Q' in (
            coalesce(flows.receipts_status, ''),
            coalesce(flows.payments_status, ''),
            coalesce(flows.balance_status, '')
        ) as has_withheld_flow,
        coalesce(flows.receipts_status = 'B', false) as receipts_is_break,
        coalesce(flows.payments_status = 'B', false) as payments_is_break,
        'B' in (
            coalesce(flows.receipts_status, ''),
            coalesce(flows.payments_status, ''),
            coalesce(flows.balance_status, '')
        ) as is_break,
        flows.is_computed,
        flows.rate_is_missing as has_missing_rate
    from {{ ref("fct_royalty_flows") }} as flows
    inner join
        {{ ref("dim_reporter") }} as reporters
        on flows.reporter_code = reporters.reporter_code
        and reporters.kind = 'country'
    inner join {{ ref("dim_period") }} as periods on flows.period = periods.period
    where
        flows.concept = 'BPM6_SH'
        and flows.frequency = '{{ frequency }}'
        and {{ at_total("flows", but=[dimension]) }}
{%- endmacro %}
