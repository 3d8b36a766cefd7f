{#- The same period a year earlier: 2018-S1 -> 2017-S1. -#}
{% macro period_year_before(period) -%}
    cast(cast(substr({{ period }}, 1, 4) as int) - 1 as string) || substr({{ period }}, 5)
{%- endmacro %}
