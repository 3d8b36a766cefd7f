{#- Statements in long form -> one row per key, with receipts, payments, balance and total side by side. A flow that
    is not stated, or suppressed, stays NULL: it is not zero. `is_of_one_release` is about receipts and payments:
    those of two texts have no difference and no sum. `columns` is the grain. -#}
{% macro flows_side_by_side(statements, columns) -%}
    select
        {{ column_list(columns) }},
        currency,
        max(release_date) as newest_release,
        count(value) as values_stated,
        min(case when flow in ('receipts', 'payments') then release_date end) = max(
            case when flow in ('receipts', 'payments') then release_date end
        ) as is_of_one_release,
        {%- for flow in ["receipts", "payments", "balance", "total"] %}
            max(case when flow = '{{ flow }}' then value end) as {{ flow }}_stated,
            max(case when flow = '{{ flow }}' then value_usd_m end) as {{ flow }}_stated_usd_m,
            max(case when flow = '{{ flow }}' then rounding end) as {{ flow }}_rounding,
            max(case when flow = '{{ flow }}' then obs_status end) as {{ flow }}_status,
            max(
                case when flow = '{{ flow }}' and value is not null then comparator end
            ) as {{ flow }}_comparator,
        {%- endfor %}
        max(case when rate_is_missing then 1 else 0 end) = 1 as rate_is_missing,
        max(case when is_computed then 1 else 0 end) = 1 as is_computed
    from {{ statements }}
    group by {{ column_list(columns) }}, currency
{%- endmacro %}
