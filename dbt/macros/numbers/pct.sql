{#- A percentage with four decimals. -#}
{% macro pct(expression) -%} round(cast({{ expression }} as double), 4) {%- endmacro %}
