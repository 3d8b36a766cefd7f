{#- Receipts, payments and balance as marts show them: in US dollars, or in the stated currency with unit="". A computed
    balance stays the difference of the two. -#}
{% macro flows_as_money(flows, unit="_usd_m") -%}
    {%- set receipts = money(flows ~ ".receipts" ~ unit) -%}
    {%- set payments = money(flows ~ ".payments" ~ unit) -%}
    {%- set balance = flows ~ ".balance" ~ unit -%}
    {{ receipts }} as receipts{{ unit }},
    {{ payments }} as payments{{ unit }},
    {{
        money(
            "case when "
            ~ flows
            ~ ".balance_is_stated then "
            ~ balance
            ~ " when "
            ~ balance
            ~ " is not null then "
            ~ receipts
            ~ " - "
            ~ payments
            ~ " end"
        )
    }} as balance{{ unit }}
{%- endmacro %}
