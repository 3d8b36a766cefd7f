{#- Every code is in its dimension: `dimensions` gives for each column the model that has a row for each of its codes,
    under the same name. One test a table, which tells the column, the code and how many rows have it. -#}
{% test codes_in_dimension(model, dimensions) %}

    {%- for column, dimension in dimensions.items() %}
        select '{{ column }}' as column_name, {{ column }} as code, count(*) as rows_found
        from {{ model }}
        where {{ column }} is not null
        group by {{ column }}
        having
            {{ column }} not in (select {{ column }} from {{ dimension }})
            {{ "union all" if not loop.last }}
    {%- endfor %}

{% endtest %}
