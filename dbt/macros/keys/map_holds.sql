{#- Condition: a row of a mapping seed (its alias) applies to the release of a date: from `valid_from`, inclusive, to
    `valid_to`, exclusive; NULL is open. -#}
{% macro map_holds(alias, release_date) -%}
    {{ release_date }} >= {{ map_holds_from(alias ~ ".") }}
    and {{ release_date }} < {{ map_holds_to(alias ~ ".") }}
{%- endmacro %}
