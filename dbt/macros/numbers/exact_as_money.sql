{#- Money from a DECIMAL(38, 21). Equal to `money`, but DuckDB takes three times as long to convert such a number in one
    step. -#}
{% macro exact_as_money(expression) -%} {{ money("round(" ~ expression ~ ", 6)") }} {%- endmacro %}
