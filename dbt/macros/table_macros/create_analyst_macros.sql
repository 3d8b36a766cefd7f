{#- Create the macros once all the tables that they read exist: after a run that has built every mart. -#}
{% macro create_analyst_macros(results) -%}
    {%- if execute and target.type == "duckdb" -%}
        {%- set marts = (
            graph.nodes.values()
            | selectattr("resource_type", "equalto", "model")
            | selectattr("schema", "equalto", "marts")
            | list
        ) -%}
        {%- set built = [] -%}
        {%- for result in results if result.node.schema == "marts" and result.node.resource_type == "model" and result.status == "success" -%}
            {%- do built.append(result.node) -%}
        {%- endfor -%}
        {%- if built | length == marts | length -%}
            {%- do run_query("use " ~ built[0].database) -%}
            {%- for statement in analyst_macro_statements() -%}
                {%- do run_query(statement) -%}
            {%- endfor -%}
            {#- Not the target's name, which dbt-duckdb takes from the path: it stops at a number sign. -#}
            {%- do run_query("use workbench") -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
