{#- Whether two statements can be roundings of one number: closer to each other than half the last digit of each. Two
    that are rounded alike and differ cannot. -#}
{% macro within_rounding(value, rounding, other, other_rounding) -%}
    (
        {{ value }} = {{ other }}
        or 2 * abs({{ value }} - {{ other }})
        < coalesce({{ rounding }}, 0) + coalesce({{ other_rounding }}, 0)
    )
{%- endmacro %}
