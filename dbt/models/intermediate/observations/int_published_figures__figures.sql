-- Every figure of the texts with its codes conformed and money in millions. Levels go to the
-- observations, the rest (growth, shares, ranks ...) to int_stated_rates.
with
    figures as (
        select
            source,
            release_date,
            reporter,
            partner,
            sector,
            category,
            affiliation,
            region,
            concept,
            flow,
            period,
            measure,
            value,
            unit,
            unit_multiplier,
            coalesce(rounding, 0) as rounding,
            comparator,
            figure_id,
            citation,
            stated_as,
            file_name,
            sheet_name,
            row_number,
            unit not in ('percent', 'rank', 'year') as is_money
        from {{ in_changed_partitions(ref("stg_published_figures__figures")) }}
    ),

    final as (
        select
            figures.source,
            figures.release_date,
            coalesce(reporters.economy_code, '_U') as reporter_code,
            coalesce(partners.economy_code, '_U') as partner_code,
            coalesce(sectors.sector_code, '_U') as sector_code,
            coalesce(categories.category_code, '_U') as category_code,
            coalesce(affiliations.affiliation_code, '_U') as affiliation_code,
            coalesce(regions.region_code, '_U') as region_code,
            figures.concept,
            figures.period,
            {{ period_frequency("figures.period") }} as frequency,
            figures.flow,
            figures.measure,
            case
                when figures.is_money
                then {{ millions("figures.value", "figures.unit_multiplier") }}
                else {{ exact("figures.value") }}
            end as value,
            case when figures.is_money then figures.unit end as currency,
            case when figures.is_money then 'currency' else figures.unit end as unit,
            case
                when figures.is_money
                then {{ millions("figures.rounding", "figures.unit_multiplier") }}
                else {{ exact("figures.rounding") }}
            end as rounding,
            figures.comparator,
            figures.figure_id,
            figures.citation,
            figures.stated_as,
            figures.file_name,
            figures.sheet_name,
            figures.row_number
        from figures
        left join
            {{ ref("economy_code_map") }} as reporter_map
            on figures.source = reporter_map.source
            and figures.reporter = reporter_map.source_code
            and {{ map_holds("reporter_map", "figures.release_date") }}
        left join
            {{ ref("economy_code_map") }} as partner_map
            on figures.source = partner_map.source
            and figures.partner = partner_map.source_code
            and {{ map_holds("partner_map", "figures.release_date") }}
        left join
            {{ ref("int_economies") }} as reporters
            on coalesce(reporter_map.economy_code, figures.reporter) = reporters.economy_code
        left join
            {{ ref("int_economies") }} as partners
            on coalesce(partner_map.economy_code, figures.partner) = partners.economy_code
        left join {{ ref("sectors") }} as sectors on figures.sector = sectors.sector_code
        left join
            {{ ref("categories") }} as categories on figures.category = categories.category_code
        left join
            {{ ref("affiliations") }} as affiliations
            on figures.affiliation = affiliations.affiliation_code
        left join {{ ref("int_regions") }} as regions on figures.region = regions.region_code
    )

select
    source,
    release_date,
    reporter_code,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept,
    period,
    frequency,
    flow,
    measure,
    value,
    currency,
    unit,
    rounding,
    comparator,
    figure_id,
    citation,
    stated_as,
    file_name,
    sheet_name,
    row_number
from final
