{#- A parameter of a table macro, if it is one of these codes. -#}
{% macro table_frequency(parameter) -%}
    case
        when {{ parameter }} in ('{{ table_frequencies() | join("', '") }}')
        then {{ parameter }}
        else error('frequency must be A (years), S (half-years), Q (quarters) or M (months)')
    end
{%- endmacro %}
