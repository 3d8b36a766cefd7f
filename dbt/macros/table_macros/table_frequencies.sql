{#- The tables that add up, by SDMX's code of their frequency: the end of their names. -#}
{% macro table_frequencies() -%}
    {{ return({"A": "", "S": "_half_yearly", "Q": "_quarterly", "M": "_monthly"}) }}
{%- endmacro %}
