{#- The amounts of a flow, in US dollars and in the stated currency. -#}
{% macro money_columns() -%}
    {{
        return(
            [
                "receipts_usd_m",
                "payments_usd_m",
                "balance_usd_m",
                "receipts",
                "payments",
                "balance",
            ]
        )
    }}
{%- endmacro %}
