{#- A number as it was stated. A spreadsheet keeps 15 significant digits; before the point in units of 10^8 they need
    17 digits in millions, after it in units of 1 they need 21: with 38 digits, the most that DECIMAL has, none is
    lost. -#}
{% macro exact(expression) -%} cast({{ expression }} as decimal(38, 21)) {%- endmacro %}
