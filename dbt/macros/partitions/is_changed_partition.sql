{#- Condition: a row is in a partition that this build replaces. -#}
{% macro is_changed_partition() -%}
    {%- set values = [] -%}
    {%- for value in changed_partitions() -%}
        {%- do values.append("'" ~ value | replace("'", "''") ~ "'") -%}
    {%- endfor -%}
    {{ model.config.meta.partition_by }} in ({{ values | join(", ") }})
{%- endmacro %}
