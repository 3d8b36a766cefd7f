{% macro map_holds_from(prefix="") -%}
    coalesce({{ prefix }}valid_from, date '0001-01-01')
{%- endmacro %}
