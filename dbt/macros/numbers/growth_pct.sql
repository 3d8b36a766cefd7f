{#- Growth in percent; NULL unless the earlier level is positive. -#}
{% macro growth_pct(level, previous) -%}
    {{
        pct(
            "case when "
            ~ previous
            ~ " > 0 then 100e0 * ("
            ~ level
            ~ " - "
            ~ previous
            ~ ") / "
            ~ previous
            ~ " end"
        )
    }}
{%- endmacro %}
