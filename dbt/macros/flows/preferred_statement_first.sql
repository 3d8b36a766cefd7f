{#- Order among sources that state the same fact under one concept, best first: statements with any figure, models and
    texts last, then statements with both receipts and payments, neither a bound, then the order of
    preferred_source_first. `statement` is an alias with receipts_usd_m, payments_usd_m, release_date and source, and
    with a comparator of each flow unless it is a breakdown (`has_comparators`), `sources` an alias of dim_source. The
    reasons are in docs/analysts.md. -#}
{% macro preferred_statement_first(statement, sources, has_comparators=true) -%}
    case
        when coalesce({{ statement }}.receipts_usd_m, {{ statement }}.payments_usd_m) is null
        then 1
        else 0
    end,
    {{ estimates_last(sources) }},
    {%- for flow in ["receipts", "payments"] %}
        case
            when {{ statement }}.{{ flow }}_usd_m is null
            then 1
            {%- if has_comparators %}
                when {{ exactness(statement ~ "." ~ flow ~ "_comparator") }} = 2 then 1
            {%- endif %}
            else 0
        end
        {{- "," if loop.last else " +" }}
    {%- endfor %}
    {{ preferred_source_first(statement, sources) }}
{%- endmacro %}
