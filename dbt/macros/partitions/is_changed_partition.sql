{#- Condition: a row is in a partition that this build replaces. -#}
{% macro is_changed_partition() -%}
    {%- set partitions = [] -%}
    {%- for partition in changed_partitions() -%}
        {%- set equal = [] -%}
        {%- for name, value in partition.items() -%}
            {%- do equal.append(name ~ " = '" ~ value | replace("'", "''") ~ "'") -%}
        {%- endfor -%}
        {%- do partitions.append("(" ~ equal | join(" and ") ~ ")") -%}
    {%- endfor -%}
    ({{ partitions | join(" or ") }})
{%- endmacro %}
