{#- Every one of the columns is filled in every row. One test per table instead of one per column. -#}
{% test not_null_columns(model, columns) %}

    select {{ columns | join(", ") }}
    from {{ model }}
    where {% for column in columns %} {{ column }} is null {{ "or" if not loop.last }} {% endfor %}

{% endtest %}
