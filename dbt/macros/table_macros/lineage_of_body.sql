{% macro lineage_of_body() -%}
    select
        flow,
        value,
        currency,
        value_usd_m,
        obs_status,
        conf_status,
        concept,
        source,
        release_date,
        file_name,
        sheet_name,
        row_number,
        column_name
    from core.fct_royalty_observations
    where
        reporter_code = reporter
        and period = of_period
        and partner_code = partner
        and sector_code = sector
        and category_code = category
        and affiliation_code = affiliation
        and region_code = region
    order by concept, flow, source, release_date, statement_number
{%- endmacro %}
