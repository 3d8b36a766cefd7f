{#- A relation with the columns of a key in long form: one row per dimension that is broken down and member, every other
    dimension at its total. The total itself is a member of each dimension. -#}
{% macro by_member(relation, columns) -%}
    {%- for dimension in dimensions() %}
        select
            '{{ dimension }}' as dimension,
            {{ dimension }}_code as member_code,
            {{ dimension }}_code = {{ total_of(dimension) }} as is_total,
            {{ column_list(columns) }}
        from {{ relation }} as by_{{ dimension }}
        where
            {{ broken_down("by_" ~ dimension, but=[dimension]) }}
            = 0 {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
