{#- A relation with the columns of a key in long form: one row per member of the dimension that is broken down, every
    other dimension at its total. The total itself is a member of each dimension. -#}
{% macro by_member(relation, columns) -%}
    {%- for dimension in dimensions() %}
        select
            '{{ dimension }}' as dimension,
            {{ dimension }}_code as member_code,
            {{ dimension }}_code = {{ total_of(dimension) }} as is_total,
            {{ column_list(columns) }}
        from {{ relation }} as by_{{ dimension }}
        {#- Conditions on four dimensions skip rows unread; for partners, most of the rows, DuckDB would expect few. #}
        where
            {% if dimension == "partner" %} {{ broken_down("by_partner", but=["partner"]) }} = 0
            {% else %} {{ at_total("by_" ~ dimension, but=[dimension]) }}
            {% endif %}
            {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
