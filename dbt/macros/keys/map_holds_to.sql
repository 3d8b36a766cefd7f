{% macro map_holds_to(prefix="") -%}
    coalesce({{ prefix }}valid_to, date '9999-12-31')
{%- endmacro %}
