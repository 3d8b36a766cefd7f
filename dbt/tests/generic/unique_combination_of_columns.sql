{#- The columns together identify a row: no two rows agree in all of them. NULL counts as a value. Only rows whose
    hash occurs twice are compared, usually none: grouping millions of rows by ten texts takes several times as long. -#}
{% test unique_combination_of_columns(model, columns) %}

    {%- set digest = "hash(" ~ columns | join(", ") ~ ")" %}
    with
        repeated_digests as (
            select {{ digest }} as digest from {{ model }} group by {{ digest }} having count(*) > 1
        )

    select {{ columns | join(", ") }}, count(*) as rows_found
    from {{ model }}
    where {{ digest }} in (select digest from repeated_digests)
    group by {{ columns | join(", ") }}
    having count(*) > 1

{% endtest %}
