{#- Join condition: two aliases have the same values in the columns (none of which is ever NULL). -#}
{% macro equal_on(left, right, columns) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} = {{ right }}.{{ column }}{{ " and " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
