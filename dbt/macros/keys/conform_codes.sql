{#- The observations of one source in the common shape of int_observations: codes conformed, money in millions.

    `staged` is a CTE or relation with: source, release_date, reporter, partner, sector, category, affiliation,
    region (codes as the source writes them; totals WLD and _T), concept, period, flow, value, currency,
    unit_multiplier (SDMX: 6 for millions), rounding (in the unit of value), comparator, obs_status, conf_status,
    file_name, sheet_name, row_number, column_name.

    A code is first looked up in the source's rows of the mapping seeds (economy_code_map, sector_code_map,
    category_code_map) that apply to the release, then in the dimension itself. A code found in neither becomes _U:
    nothing is dropped. -#}
{% macro conform_codes(staged, further_columns=[]) -%}
    select
        staged.source,
        staged.release_date,
        coalesce(reporters.economy_code, '_U') as reporter_code,
        coalesce(partners.economy_code, '_U') as partner_code,
        coalesce(sectors.sector_code, '_U') as sector_code,
        coalesce(categories.category_code, '_U') as category_code,
        coalesce(affiliations.affiliation_code, '_U') as affiliation_code,
        coalesce(regions.region_code, '_U') as region_code,
        staged.concept,
        staged.period,
        {{ period_frequency("staged.period") }} as frequency,
        staged.flow,
        {{ millions("staged.value", "staged.unit_multiplier") }} as value,
        staged.currency,
        {{ millions("coalesce(staged.rounding, 0)", "staged.unit_multiplier") }} as rounding,
        staged.comparator,
        staged.obs_status,
        staged.conf_status,
        {%- for column in further_columns %} staged.{{ column }}, {%- endfor %}
        staged.file_name,
        staged.sheet_name,
        staged.row_number,
        staged.column_name
    from {{ staged }} as staged
    left join
        {{ ref("economy_code_map") }} as reporter_map
        on staged.source = reporter_map.source
        and staged.reporter = reporter_map.source_code
        and {{ map_holds("reporter_map", "staged.release_date") }}
    left join
        {{ ref("economy_code_map") }} as partner_map
        on staged.source = partner_map.source
        and staged.partner = partner_map.source_code
        and {{ map_holds("partner_map", "staged.release_date") }}
    left join
        {{ ref("sector_code_map") }} as sector_map
        on staged.source = sector_map.source
        and staged.sector = sector_map.source_code
        and {{ map_holds("sector_map", "staged.release_date") }}
    left join
        {{ ref("category_code_map") }} as category_map
        on staged.source = category_map.source
        and staged.category = category_map.source_code
        and {{ map_holds("category_map", "staged.release_date") }}
    left join
        {{ ref("int_economies") }} as reporters
        on coalesce(reporter_map.economy_code, staged.reporter) = reporters.economy_code
    left join
        {{ ref("int_economies") }} as partners
        on coalesce(partner_map.economy_code, staged.partner) = partners.economy_code
    left join
        {{ ref("sectors") }} as sectors
        on coalesce(sector_map.sector_code, staged.sector) = sectors.sector_code
    left join
        {{ ref("categories") }} as categories
        on coalesce(category_map.category_code, staged.category) = categories.category_code
    left join
        {{ ref("affiliations") }} as affiliations
        on staged.affiliation = affiliations.affiliation_code
    left join {{ ref("int_regions") }} as regions on staged.region = regions.region_code
{%- endmacro %}
