{#- The class of an economy in a country list, in the words of the World Bank's API where the list has none: aggregates
    (and no group of NULL that would be taken for countries) or not classified. -#}
{% macro class_of_economy(column) -%}
    case when kind = 'aggregate' then 'Aggregates' else coalesce({{ column }}, 'Not classified') end
{%- endmacro %}
