{% macro royalty_flows_as_of_body() -%}
    {{ royalty_flows("core.fct_royalty_observations", "core.dim_source", "as_of") }}
    order by
        reporter_code,
        period,
        source,
        partner_code,
        sector_code,
        category_code,
        affiliation_code,
        region_code
{%- endmacro %}
