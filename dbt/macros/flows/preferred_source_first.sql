{#- Order among sources that state the same fact under one concept, whatever else they state: models and texts last, then
    the publisher closest to the survey, then that publisher's newest release, then its source of most detail. For one
    flow; a statement of both is chosen by preferred_statement_first. `statement` is an alias with release_date and
    source, `sources` an alias of dim_source. -#}
{% macro preferred_source_first(statement, sources) -%}
    {{ estimates_last(sources) }},
    {{ sources }}.publisher_precedence,
    {{ statement }}.release_date desc,
    {{ sources }}.precedence,
    {{ statement }}.source
{%- endmacro %}
