{#- SQL that shuts DuckDB off from every file but those below the warehouse folder and the seeds, for as long as the
    databases are open. A setting of the connection cannot do it: DuckDB takes the list only once it is running. -#}
{% macro close_to_other_files() -%}
    {%- if target.type == "duckdb" -%}
        {%- set folders = [
            env_var("ROYALTY_WAREHOUSE_DIR", "../warehouse"),
            env_var("ROYALTY_SEEDS_DIR", "seeds"),
        ] -%}
        {%- set quoted = [] -%}
        {%- for folder in folders -%}
            {%- do quoted.append("'" ~ folder | replace("'", "''") ~ "'") -%}
        {%- endfor -%}
        set allowed_directories = [{{ quoted | join(", ") }}]
        ;
        set enable_external_access = false
        ;
    {%- endif -%}
{%- endmacro %}
