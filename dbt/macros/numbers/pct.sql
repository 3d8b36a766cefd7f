{#- A percentage with four decimals; never a negative zero. -#}
{% macro pct(expression) -%} (round(cast({{ expression }} as double), 4) + 0e0) {%- endmacro %}
