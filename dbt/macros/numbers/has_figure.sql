{#- Whether a cell holds a figure: text without a digit is a mark. -#}
{% macro has_figure(text) -%} translate({{ text }}, '0123456789', '') <> {{ text }} {%- endmacro %}
