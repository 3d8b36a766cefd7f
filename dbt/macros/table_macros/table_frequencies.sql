{#- The tables that add up, by SDMX's code of their frequency: the end of their names. -#}
{% macro table_frequencies() -%}
    {{ return({"A": "", "S": "_half_yearly", "Q": "_quarterly", "M": "_monthly"}) }}
{%- endmacro %}

{#- A parameter of a table macro, if it is one of these codes. -#}
{% macro table_frequency(parameter) -%}
    case
        when {{ parameter }} in ('{{ table_frequencies() | join("', '") }}')
        then {{ parameter }}
        else error('frequency must be A (years), S (half-years), Q (quarters) or M (months)')
    end
{%- endmacro %}
