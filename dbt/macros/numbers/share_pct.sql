{#- Part of a whole in percent; NULL where the whole is zero or not known. -#}
{% macro share_pct(part, whole) -%}
    {{ pct("100e0 * " ~ part ~ " / nullif(" ~ whole ~ ", 0)") }}
{%- endmacro %}
