{#- SQL that denies DuckDB every file except those below the warehouse folder and the seeds while the databases are
    open. A connection setting cannot do this: DuckDB accepts the list only once it is running. -#}
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
