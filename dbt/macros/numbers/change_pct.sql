{#- Change in percent of the size of the earlier number, so that a deficit that grows is a negative change; NULL where
    that is zero. -#}
{% macro change_pct(value, previous) -%}
    {{ pct("100e0 * (" ~ value ~ " - " ~ previous ~ ") / nullif(abs(" ~ previous ~ "), 0)") }}
{%- endmacro %}
