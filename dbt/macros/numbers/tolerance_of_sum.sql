{#- The tolerance of a sum over rows, each of which is a term; a row without a value is not one. -#}
{% macro tolerance_of_sum(value="value", rounding="rounding") -%}
    {{
        tolerance(
            "sum(case when " ~ value ~ " is not null then " ~ rounding ~ " else 0 end)",
            "sum(abs(" ~ value ~ "))",
            "count(" ~ value ~ ")",
        )
    }}
{%- endmacro %}
