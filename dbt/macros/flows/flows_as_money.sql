{#- Receipts, payments and balance in US dollars as marts show them. A computed balance stays the difference of the
    two. -#}
{% macro flows_as_money(flows) -%}
    {%- set receipts = money(flows ~ ".receipts_usd_m") -%}
    {%- set payments = money(flows ~ ".payments_usd_m") -%}
    {{ receipts }} as receipts_usd_m,
    {{ payments }} as payments_usd_m,
    {{
        money(
            "case when "
            ~ flows
            ~ ".balance_is_stated then "
            ~ flows
            ~ ".balance_usd_m when "
            ~ flows
            ~ ".balance_usd_m is not null then "
            ~ receipts
            ~ " - "
            ~ payments
            ~ " end"
        )
    }} as balance_usd_m
{%- endmacro %}
