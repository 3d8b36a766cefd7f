{#- Order in which statements of one flow count: the newest release first, bounds after all others. -#}
{% macro newest_statement_first(observations) -%}
    case when {{ exactness(observations ~ ".comparator") }} = 2 then 1 else 0 end,
    {{ observations }}.release_date desc
{%- endmacro %}
