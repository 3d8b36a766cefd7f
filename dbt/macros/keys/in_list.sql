{#- Condition: a code is in a list of codes joined with `+`. -#}
{% macro in_list(code, codes) -%}
    '+' || {{ codes }} || '+' like '%+' || {{ code }} || '+%'
{%- endmacro %}
