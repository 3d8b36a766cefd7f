{#- Rows of a raw table whose load the ledger lists as accepted. A reloaded file has a new `_loaded_at`, so rows of an
    older load of the same file are never included. -#}
{% macro accepted_rows(raw_table) -%}
    select raw_rows.*
    from {{ raw_table }} as raw_rows
    where
        exists (
            select 1
            from {{ source("audit", "releases") }} as releases
            where
                releases.status = 'accepted'
                and releases.source = raw_rows._source
                and releases.release_date = raw_rows._release
                and releases.file_name = raw_rows._file
                and releases.loaded_at = raw_rows._loaded_at
        )
{%- endmacro %}
