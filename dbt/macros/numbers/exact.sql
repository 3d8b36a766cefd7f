{#- A number as it was stated. A spreadsheet keeps 15 significant digits: converted to millions, they need up to 17
    digits before the point (units of 10^8) and 21 after it (units of 1). With 38 digits, the most that DECIMAL has,
    none is lost. -#}
{% macro exact(expression) -%} cast({{ expression }} as decimal(38, 21)) {%- endmacro %}
