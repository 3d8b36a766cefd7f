{#- Condition: a row is in a partition that this build replaces; with `columns`, by only these names, each in a column. -#}
{% macro is_changed_partition(columns=none) -%}
    {%- set partitions = [] -%}
    {%- for partition in changed_partitions() -%}
        {%- set equal = [] -%}
        {%- for name, column in (columns or dict(zip(partition, partition))).items() -%}
            {%- do equal.append(column ~ " = '" ~ partition[name] | replace("'", "''") ~ "'") -%}
        {%- endfor -%}
        {%- do partitions.append("(" ~ equal | join(" and ") ~ ")") -%}
    {%- endfor -%}
    ({{ partitions | unique | join(" or ") }})
{%- endmacro %}
