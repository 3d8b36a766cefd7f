{#- What marts say of a flow: amounts in US dollars and in the stated currency, status and comparator. -#}
{% macro flow_columns() -%}
    {{
        return(
            money_columns()
            + [
                "receipts_status",
                "payments_status",
                "balance_status",
                "receipts_comparator",
                "payments_comparator",
                "balance_comparator",
            ]
        )
    }}
{%- endmacro %}
