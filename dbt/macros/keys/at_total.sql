{#- Condition: every dimension except those named is at its total. -#}
{% macro at_total(alias, but=[]) -%}
    {%- set conditions = [] -%}
    {%- for dimension in dimensions() if dimension not in but -%}
        {%- do conditions.append(alias ~ "." ~ dimension ~ "_code = " ~ total_of(dimension)) -%}
    {%- endfor -%}
    {{ conditions | join(" and ") }}
{%- endmacro %}
