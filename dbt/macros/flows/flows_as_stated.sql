{#- Receipts, payments and balance in the stated currency as marts show them, with the status (SDMX OBS_STATUS) and
    the comparator of each. A computed balance is withheld if one of its sides is, and otherwise has the status of the
    side that is not normal. -#}
{% macro flows_as_stated(flows) -%}
    {{ flows }}.currency,
    {{ flows_as_money(flows, unit="") }},
    {{ flows }}.receipts_status,
    {{ flows }}.payments_status,
    case
        when {{ flows }}.balance_status is not null
        then {{ flows }}.balance_status
        when {{ flows }}.receipts_status is null or {{ flows }}.payments_status is null
        then null
        when {{ flows }}.receipts_status = 'Q' or {{ flows }}.payments_status = 'Q'
        then 'Q'
        when
            {{ flows }}.receipts is not null
            and {{ flows }}.payments is not null
            and {{ flows }}.balance is null
        then null
        when {{ flows }}.receipts_status = 'A'
        then {{ flows }}.payments_status
        else {{ flows }}.receipts_status
    end as balance_status,
    {{ flows }}.receipts_comparator,
    {{ flows }}.payments_comparator,
    {{ flows }}.balance_comparator
{%- endmacro %}
