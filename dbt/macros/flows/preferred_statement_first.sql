{#- Order among sources that state the same fact under one concept, best first: statements with any figure, models and
    texts last, then statements with both receipts and payments, neither a bound, of one release, then the order of
    preferred_source_first. `statement` is an alias with receipts_usd_m, payments_usd_m, release_date and source, and
    with the balance and a comparator of each flow unless it is a breakdown, `sources` an alias of dim_source. The
    reasons are in docs/analysts.md. -#}
{% macro preferred_statement_first(statement, sources, is_breakdown=false) -%}
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
            {%- if not is_breakdown %}
                when {{ exactness(statement ~ "." ~ flow ~ "_comparator") }} = 2 then 1
            {%- endif %}
            else 0
        end
        {{- " +" if not loop.last }}
    {%- endfor %}
    {%- if not is_breakdown %}
        + case
            when
                {{ statement }}.receipts_usd_m is not null
                and {{ statement }}.payments_usd_m is not null
                and {{ statement }}.balance_usd_m is null
            then 1
            else 0
        end
    {%- endif %},
    {{ preferred_source_first(statement, sources) }}
{%- endmacro %}
