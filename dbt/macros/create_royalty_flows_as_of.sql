{#- The table macro of the published file: what was known on a day. It names schemas and never a catalog, so it works
    under whatever alias a client attaches the file; for the same reason DuckDB must stand in that file (`use`) while
    it is made. Run as post-hooks, one statement each. -#}
{% macro create_royalty_flows_as_of() -%}
create or replace macro main.royalty_flows_as_of(as_of) as table
    {{ royalty_flows("core.fct_royalty_observations", "core.dim_source", "as_of") }}
order by reporter_code, period, source, partner_code, sector_code, category_code, affiliation_code, region_code
{%- endmacro %}
