{#- Whether the unit of a claim is a currency. -#}
{% macro is_currency(unit) -%}
    {{ unit }} not in ('percent', 'rank', 'year', 'sign', 'times')
{%- endmacro %}
