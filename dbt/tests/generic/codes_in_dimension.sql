{#- Every code is in its dimension: `dimensions` maps each column to the model with a row for each of its codes, in a
    column of the same name or the one in `keys`. One test per table, which reports the column, the code and the number
    of rows. -#}
{% test codes_in_dimension(model, dimensions, keys={}) %}

    {%- for column, dimension in dimensions.items() %}
        select '{{ column }}' as column_name, {{ column }} as code, count(*) as rows_found
        from {{ model }}
        where {{ column }} is not null
        group by {{ column }}
        having
            {{ column }} not in (select {{ keys.get(column, column) }} from {{ dimension }})
            {{ "union all" if not loop.last }}
    {%- endfor %}

{% endtest %}
