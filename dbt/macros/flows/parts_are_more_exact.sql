{#- Whether receipts and payments give a balance or total more exactly than its own statement does: together they are
    rounded less, and the two agree within their roundings. A statement with all the decimals that marts show stays: a
    workbook's cell ends where its binary number does. `sign` is - for the balance, + for the total. -#}
{% macro parts_are_more_exact(flow, sign) -%}
    {%- set parts_rounding = "(receipts_rounding + payments_rounding)" -%}
    coalesce(
        {{ parts_rounding }} < {{ flow }}_rounding
        and {{ flow }}_rounding > 0.000001
        and {{
            within_rounding(
                flow ~ "_stated",
                flow ~ "_rounding",
                "(receipts_stated " ~ sign ~ " payments_stated)",
                parts_rounding,
            )
        }},
        false
    )
{%- endmacro %}
