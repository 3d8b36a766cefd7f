{#- A relation as a model reads it: its rows in the partitions that this build replaces, or all of them. -#}
{% macro in_changed_partitions(relation, columns=none) -%}
    {%- set changed = changed_partitions() -%}
    {%- if changed -%} (select * from {{ relation }} where {{ is_changed_partition(columns) }})
    {%- else -%} {{ relation }}
    {%- endif -%}
{%- endmacro %}
