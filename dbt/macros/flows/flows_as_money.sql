{#- Receipts, payments and balance as marts show them: in US dollars, or in the stated currency with unit="". A computed
    balance stays the difference of the two. Most figures are stated in US dollars, and are then converted once: the
    conversion is what costs most in a mart. -#}
{% macro flows_as_money(flows, unit="_usd_m") -%}
    {%- for flow in ["receipts", "payments", "balance"] %}
        {%- if unit %} {{ flow_as_money(flows, flow, unit) }}
        {%- else %}
            case
                when {{ flows }}.currency = 'USD'
                then {{ flow_as_money(flows, flow, "_usd_m") }}
                else {{ flow_as_money(flows, flow, unit) }}
            end
        {%- endif %} as {{ flow }}{{ unit }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}
