{#- What a row breaks down: `total`, the one dimension that is not at its total, or `several`. -#}
{% macro breakdown_of() -%}
    {%- set counts = [] -%}
    {%- set names = [] -%}
    {%- for dimension in dimensions() -%}
        {%- set is_total = dimension ~ "_code = " ~ total_of(dimension) -%}
        {%- do counts.append("case when " ~ is_total ~ " then 0 else 1 end") -%}
        {%- do names.append(" when not " ~ is_total ~ " then '" ~ dimension ~ "'") -%}
    {%- endfor -%}
    case when {{ counts | join(" + ") }} > 1 then 'several' {{ names | join("") }} else 'total' end
{%- endmacro %}
