{#- Whether two statements can be of one number: nearer to each other than half a last digit of each. Two that are rounded
    alike and differ are not. -#}
{% macro within_rounding(value, rounding, other, other_rounding) -%}
    (
        {{ value }} = {{ other }}
        or 2 * abs({{ value }} - {{ other }})
        < coalesce({{ rounding }}, 0) + coalesce({{ other_rounding }}, 0)
    )
{%- endmacro %}
