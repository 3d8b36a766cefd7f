{#- Preferred rows that share the columns are from one source and one release, and there is at least one. -#}
{% test one_preferred_source(model, columns) %}

    select
        {{ columns | join(", ") }},
        min(case when preferred then source end) as source,
        max(case when preferred then source end) as other_source,
        min(case when preferred then release_date end) as release_date,
        max(case when preferred then release_date end) as other_release_date
    from {{ model }}
    group by {{ columns | join(", ") }}
    having
        coalesce(
            min(case when preferred then source end) <> max(case when preferred then source end)
            or min(case when preferred then release_date end)
            <> max(case when preferred then release_date end),
            true
        )

{% endtest %}
