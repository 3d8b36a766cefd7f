{#- The dimensions that a flow is broken down by. -#}
{% macro dimensions() -%}
    {{ return(["partner", "sector", "category", "affiliation", "region"]) }}
{%- endmacro %}
