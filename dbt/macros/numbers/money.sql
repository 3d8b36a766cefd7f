{#- Money as marts show it: millions with six decimals, so single units of a currency survive. -#}
{% macro money(expression) -%} cast({{ expression }} as decimal(18, 6)) {%- endmacro %}
