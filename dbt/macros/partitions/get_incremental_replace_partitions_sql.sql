{#- The incremental strategy `replace_partitions`: the new rows take the place of all rows of their partitions, including
    partitions that have no rows any more. -#}
{% macro get_incremental_replace_partitions_sql(arguments) -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arguments["target_relation"] }}
    where {{ is_changed_partition() }}
    ;
    insert into {{ arguments["target_relation"] }} ({{ columns }})
    select {{ columns }}
    from {{ arguments["temp_relation"] }}
    ;
{%- endmacro %}
