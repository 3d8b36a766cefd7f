{#- The partitions of a model that this build replaces, by `partition_by` of its meta; none if the build writes the whole
    model. Which they are follows from the contents of its inputs (transform/changes.py). -#}
{% macro changed_partitions() -%}
    {{ return(var("changed_partitions", {}).get(model.name)) }}
{%- endmacro %}
