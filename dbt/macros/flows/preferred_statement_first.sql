{#- Order among sources that state the same fact under one concept, best first: statements with both receipts and
    payments, then the publisher closest to the survey, then that publisher's newest release, then its source of
    most detail. `statement` is an alias with receipts_usd_m, payments_usd_m, release_date and source, `sources` an
    alias of dim_source. The reasons are in docs/analysts.md. -#}
{% macro preferred_statement_first(statement, sources) -%}
    case when {{ statement }}.receipts_usd_m is null then 1 else 0 end
    + case when {{ statement }}.payments_usd_m is null then 1 else 0 end,
    {{ preferred_source_first(statement, sources) }}
{%- endmacro %}
