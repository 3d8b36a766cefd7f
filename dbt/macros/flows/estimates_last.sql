{#- Whether a source states modelled figures or single quotations (1), which count only where no survey or compilation
    states the fact. `sources` is an alias of dim_source. -#}
{% macro estimates_last(sources) -%}
    case when {{ sources }}.kind in ('model', 'text') then 1 else 0 end
{%- endmacro %}
