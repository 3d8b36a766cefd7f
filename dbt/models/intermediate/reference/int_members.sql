-- The members of every dimension in long form: which of them are ranked against each other, at
-- which level, and which add up to the total without overlap.
with
    partners as (
        select
            'partner' as dimension,
            economy_code as member_code,
            economy_name as member_name,
            case
                when economy_code = 'WLD'
                then 'total'
                when kind = 'unallocated' and economy_code <> '_U'
                then 'residual'
                else kind
            end as kind,
            cast(null as string) as ranking_level,
            kind = 'country' as is_ranked,
            kind = 'country' as is_part_of_total
        from {{ ref("int_economies") }}
    ),

    -- A division is within its section: it ranks among divisions and does not count as a separate
    -- part.
    sectors as (
        select
            'sector' as dimension,
            sector_code as member_code,
            sector_name as member_name,
            level as kind,
            level as ranking_level,
            level in ('section', 'division') as is_ranked,
            level = 'section' as is_part_of_total
        from {{ ref("sectors") }}
    ),

    categories as (
        select
            'category' as dimension,
            category_code as member_code,
            category_name as member_name,
            kind,
            cast(null as string) as ranking_level,
            kind = 'ebops' and category_code <> 'SH' as is_ranked,
            kind = 'ebops' and category_code <> 'SH' as is_part_of_total
        from {{ ref("categories") }}
    ),

    affiliations as (
        select
            'affiliation' as dimension,
            affiliation_code as member_code,
            affiliation_name as member_name,
            case
                affiliation_code
                when '_T'
                then 'total'
                when '_U'
                then 'unallocated'
                else 'affiliation'
            end as kind,
            cast(null as string) as ranking_level,
            affiliation_code not in ('_T', '_U') as is_ranked,
            affiliation_code not in ('_T', '_U') as is_part_of_total
        from {{ ref("affiliations") }}
    ),

    regions as (
        select
            'region' as dimension,
            region_code as member_code,
            region_name as member_name,
            region_type as kind,
            region_type as ranking_level,
            region_code not in ('_T', '_U') as is_ranked,
            region_code not in ('_T', '_U') as is_part_of_total
        from {{ ref("int_regions") }}
    ),

    final as (
        select dimension, member_code, member_name, kind, ranking_level, is_ranked, is_part_of_total
        from partners
        union all
        select dimension, member_code, member_name, kind, ranking_level, is_ranked, is_part_of_total
        from sectors
        union all
        select dimension, member_code, member_name, kind, ranking_level, is_ranked, is_part_of_total
        from categories
        union all
        select dimension, member_code, member_name, kind, ranking_level, is_ranked, is_part_of_total
        from affiliations
        union all
        select dimension, member_code, member_name, kind, ranking_level, is_ranked, is_part_of_total
        from regions
    )

select dimension, member_code, member_name, kind, ranking_level, is_ranked, is_part_of_total
from final
