{#- How many dimensions, except those named, are not at their total. -#}
{% macro broken_down(alias, but=[]) -%}
    {%- set counts = [] -%}
    {%- for dimension in dimensions() if dimension not in but -%}
        {%- do counts.append(
            "case when "
            ~ alias
            ~ "."
            ~ dimension
            ~ "_code = "
            ~ total_of(dimension)
            ~ " then 0 else 1 end"
        ) -%}
    {%- endfor -%}
    {{ counts | join(" + ") }}
{%- endmacro %}
