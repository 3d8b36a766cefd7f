-- The members of every dimension that cover a part of its total. Members that never overlap count
-- always (cover_order 0): countries and the rest of an area, sections, SH1 to SH4. A group (1) or a
-- detail (2) counts where no member that overlaps it comes first and is stated: industrial property
-- without SH1 and SH2, a division without its section. Groups of unknown composition never count.
with
    -- A group contains its parts; a section and a category contain their details.
    groups as (
        select 'sector' as dimension, sector_code as group_code, members as parts
        from {{ ref("sectors") }}
        where members is not null
        union all
        select 'category' as dimension, category_code as group_code, members as parts
        from {{ ref("categories") }}
        where members is not null
        union all
        select 'partner' as dimension, economy_code as group_code, members as parts
        from {{ ref("int_economies") }}
        where members is not null
    ),

    members as (
        select
            'partner' as dimension,
            economy_code as member_code,
            cast(null as string) as parent_code,
            case
                when kind = 'aggregate' or (kind = 'country' and members is not null) then 1 else 0
            end as cover_order
        from {{ ref("int_economies") }}
        where
            kind = 'country'
            or (kind = 'unallocated' and economy_code not in ('_U', '_X'))
            or (kind = 'aggregate' and members is not null)
        union all
        select
            'sector' as dimension,
            sector_code as member_code,
            case when level = 'division' then parent_code end as parent_code,
            case level when 'section' then 0 when 'aggregate' then 1 else 2 end as cover_order
        from {{ ref("sectors") }}
        where level in ('section', 'aggregate', 'division')
        union all
        select
            'category' as dimension,
            category_code as member_code,
            case when parent_code not in ('SH', '_T') then parent_code end as parent_code,
            case
                when kind = 'group' then 1 when parent_code in ('SH', '_T') then 0 else 2
            end as cover_order
        from {{ ref("categories") }}
        where kind not in ('total', 'unallocated') and category_code <> 'SH'
        union all
        select
            'affiliation' as dimension,
            affiliation_code as member_code,
            cast(null as string) as parent_code,
            0 as cover_order
        from {{ ref("affiliations") }}
        where affiliation_code not in ('_T', '_U', '_X')
        union all
        select
            'region' as dimension,
            region_code as member_code,
            parent_code,
            case when parent_code is null then 0 else 2 end as cover_order
        from {{ ref("int_regions") }}
        where region_code not in ('_T', '_U', '_X')
    ),

    children as (
        select dimension, parent_code as whole_code, member_code as part_code
        from members
        where parent_code is not null
        union
        select groups.dimension, groups.group_code as whole_code, members.member_code as part_code
        from groups
        inner join
            members
            on groups.dimension = members.dimension
            and {{ in_list("members.member_code", "groups.parts") }}
    ),

    descendants as (
        select dimension, whole_code, part_code
        from children
        union
        select children.dimension, children.whole_code, details.part_code
        from children
        inner join
            children as details
            on children.dimension = details.dimension
            and children.part_code = details.whole_code
    ),

    overlapping_pairs as (
        select dimension, whole_code as member_code, part_code as other_code
        from descendants
        union
        select dimension, part_code as member_code, whole_code as other_code
        from descendants
        union
        select descendants.dimension, descendants.whole_code, others.whole_code as other_code
        from descendants
        inner join
            descendants as others
            on descendants.dimension = others.dimension
            and descendants.part_code = others.part_code
            and descendants.whole_code <> others.whole_code
    ),

    sizes as (
        select dimension, whole_code as member_code, count(*) as parts
        from descendants
        group by dimension, whole_code
    ),

    in_order as (
        select
            members.dimension,
            members.member_code,
            members.cover_order,
            row_number() over (
                partition by members.dimension
                order by members.cover_order, coalesce(sizes.parts, 0) desc, members.member_code
            ) as position
        from members
        left join sizes on {{ equal_on("members", "sizes", ["dimension", "member_code"]) }}
    ),

    final as (
        select dimension, member_code, cover_order, cast(null as string) as preferred_code
        from in_order
        union all
        select
            overlapping_pairs.dimension,
            overlapping_pairs.member_code,
            in_order.cover_order,
            overlapping_pairs.other_code as preferred_code
        from overlapping_pairs
        inner join
            in_order
            on {{ equal_on("overlapping_pairs", "in_order", ["dimension", "member_code"]) }}
        inner join
            in_order as preferred
            on overlapping_pairs.dimension = preferred.dimension
            and overlapping_pairs.other_code = preferred.member_code
        where in_order.cover_order > 0 and preferred.position < in_order.position
    )

select dimension, member_code, cover_order, preferred_code
from final
