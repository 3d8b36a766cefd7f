-- The members of every dimension in long form: which of them are ranked against each other, at
-- which level, which add up to the total without overlap, and which are residuals.
{%- set columns = [
    "dimension",
    "member_code",
    "member_name",
    "kind",
    "ranking_level",
    "is_ranked",
    "is_part_of_total",
    "member_kind",
    "member_level",
    "members",
] %}
with
    partners as (
        select
            'partner' as dimension,
            economy_code as member_code,
            economy_name as member_name,
            case
                when economy_code = 'WLD'
                then 'total'
                when kind = 'unallocated' and economy_code not in ('_U', '_X')
                then 'residual'
                else kind
            end as kind,
            cast(null as string) as ranking_level,
            kind = 'country' as is_ranked,
            kind = 'country' as is_part_of_total,
            case
                when kind = 'country'
                then 'member'
                when kind = 'unallocated' and economy_code not in ('_U', '_X')
                then 'residual'
            end as member_kind,
            cast(null as string) as member_level,
            case when kind = 'country' then members end as members
        from {{ ref("int_economies") }}
    ),

    -- A division is within its section: it ranks among divisions and does not count as a separate
    -- part. Small sections that a publisher joins are one more section, unless it states them
    -- one by one.
    sectors as (
        select
            'sector' as dimension,
            sector_code as member_code,
            sector_name as member_name,
            level as kind,
            level as ranking_level,
            level in ('section', 'division') as is_ranked,
            level = 'section' as is_part_of_total,
            case
                when level in ('section', 'division') or sector_code = 'RTS' then 'member'
            end as member_kind,
            case when sector_code = 'RTS' then 'section' else level end as member_level,
            members
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
            kind = 'ebops' and category_code <> 'SH' as is_part_of_total,
            case
                when kind = 'group' or (kind = 'ebops' and category_code <> 'SH') then 'member'
            end as member_kind,
            cast(null as string) as member_level,
            members
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
                when '_X'
                then 'unallocated'
                else 'affiliation'
            end as kind,
            cast(null as string) as ranking_level,
            affiliation_code not in ('_T', '_U', '_X') as is_ranked,
            affiliation_code not in ('_T', '_U', '_X') as is_part_of_total,
            case when affiliation_code not in ('_T', '_U', '_X') then 'member' end as member_kind,
            cast(null as string) as member_level,
            cast(null as string) as members
        from {{ ref("affiliations") }}
    ),

    regions as (
        select
            'region' as dimension,
            region_code as member_code,
            region_name as member_name,
            region_type as kind,
            region_type as ranking_level,
            region_code not in ('_T', '_U', '_X') as is_ranked,
            region_code not in ('_T', '_U', '_X') as is_part_of_total,
            case when region_code not in ('_T', '_U', '_X') then 'member' end as member_kind,
            case when parent_code is null then 'first' else 'second' end as member_level,
            cast(null as string) as members
        from {{ ref("int_regions") }}
    ),

    final as (
        {%- for members in ["partners", "sectors", "categories", "affiliations", "regions"] %}
            select {{ column_list(columns) }} from {{ members }} {{ "union all" if not loop.last }}
        {%- endfor %}
    )

select {{ column_list(columns) }}
from final
