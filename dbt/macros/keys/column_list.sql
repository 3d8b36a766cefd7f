{#- The columns as a select list or a partition list, each with the prefix of a table alias if one is given. -#}
{% macro column_list(columns, alias=none) -%}
    {%- for column in columns -%}
        {{ alias ~ "." if alias }}{{ column }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
