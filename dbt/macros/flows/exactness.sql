{#- Whether a number is stated exactly (0), roughly (1) or as a bound (2). -#}
{% macro exactness(comparator) -%}
    case {{ comparator }} when '=' then 0 when '~' then 1 else 2 end
{%- endmacro %}
