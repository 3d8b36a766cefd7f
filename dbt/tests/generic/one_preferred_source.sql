{#- Exactly one source is preferred for each combination of the columns. -#}
{% test one_preferred_source(model, columns) %}

    select
        {{ columns | join(", ") }}, sum(case when preferred then 1 else 0 end) as preferred_sources
    from {{ model }}
    group by {{ columns | join(", ") }}
    having sum(case when preferred then 1 else 0 end) <> 1

{% endtest %}
