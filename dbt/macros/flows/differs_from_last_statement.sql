{#- True if a row has another source, release or currency than the last row of its reporter, or than that of the
    year before. `rows` and `before` are aliases of chosen rows, one per reporter and period; `before` is the year
    before, or nothing. -#}
{% macro differs_from_last_statement(rows, before) -%}
    {%- set statement = (
        rows
        ~ ".source || cast("
        ~ rows
        ~ ".release_date as string) || "
        ~ rows
        ~ ".currency"
    ) -%}
    coalesce(
        lag({{ statement }}) over (partition by {{ rows }}.reporter_code order by {{ rows }}.period)
        <> {{ statement }},
        false
    )
    or coalesce({{ statement | replace(rows ~ ".", before ~ ".") }} <> {{ statement }}, false)
{%- endmacro %}
