{#- One of receipts, payments and balance as marts show it. -#}
{% macro flow_as_money(flows, flow, unit) -%}
    {%- set stated = exact_as_money(flows ~ "." ~ flow ~ unit) -%}
    {%- if flow != "balance" -%} {{ stated }}
    {%- else -%}
        {{
            money(
                "case when "
                ~ flows
                ~ ".balance_is_stated then "
                ~ stated
                ~ " when "
                ~ flows
                ~ ".balance"
                ~ unit
                ~ " is not null then "
                ~ flow_as_money(flows, "receipts", unit)
                ~ " - "
                ~ flow_as_money(flows, "payments", unit)
                ~ " end"
            )
        }}
    {%- endif -%}
{%- endmacro %}
