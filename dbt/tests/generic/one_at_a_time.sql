{#- No two rows of a code map with the same values in the columns apply to the same release or, where `years` names
    the columns of a first and last year, to the same year of it. A row that applies to no release fails too. -#}
{% test one_at_a_time(model, columns, years=[]) %}

    with
        numbered as (
            select
                {{ columns | join(", ") }},
                {{ map_holds_from() }} as holds_from,
                {{ map_holds_to() }} as holds_to,
                {%- if years %}
                    coalesce({{ years[0] }}, 0) as first_year,
                    coalesce({{ years[1] }}, 9999) as last_year,
                {%- endif %}
                row_number() over (order by {{ columns | join(", ") }}) as number
            from {{ model }}
        )

    select
        {{ column_list(columns, "earlier") }},
        earlier.holds_from as one_from,
        earlier.holds_to as one_to,
        later.holds_from as other_from,
        later.holds_to as other_to
    from numbered as earlier
    inner join
        numbered as later
        on {{ equal_on("earlier", "later", columns) }}
        and earlier.number < later.number
        and earlier.holds_from < later.holds_to
        and later.holds_from < earlier.holds_to
        {%- if years %}
            and earlier.first_year <= later.last_year and later.first_year <= earlier.last_year
        {%- endif %}
    union all
    select {{ columns | join(", ") }}, holds_from, holds_to, null, null
    from numbered
    where holds_from >= holds_to

{% endtest %}
