-- The economies that an aggregate consists of, in each release that states the aggregate: only what
-- a file or a definition says. An aggregate without rows has members that nothing here states.
{{ config(meta={"parts": {"source": "source", "release_date": "release_date"}}) }}
{%- set grain = ["source", "release_date", "aggregate_code"] %}
with
    aggregates as (
        select economy_code, economy_name, members
        from {{ ref("int_economies") }}
        where kind = 'aggregate'
    ),

    reporters as (
        select source, release_date, reporter_code
        from {{ ref("fct_royalty_observations") }}
        where partner_code = 'WLD'
        group by source, release_date, reporter_code
    ),

    -- As a partner, the world is the total, whoever the others are.
    partners as (
        select source, release_date, partner_code
        from {{ ref("fct_royalty_observations") }}
        where partner_code <> 'WLD'
        group by source, release_date, partner_code
    ),

    stated_economies as (
        select source, release_date, reporter_code as economy_code
        from reporters
        union
        select source, release_date, partner_code as economy_code
        from partners
    ),

    stated_aggregates as (
        select
            stated.source,
            stated.release_date,
            stated.economy_code as aggregate_code,
            aggregates.economy_name,
            coalesce(listed.members, aggregates.members) as members
        from stated_economies as stated
        inner join aggregates on stated.economy_code = aggregates.economy_code
        left join
            {{ ref("aggregate_members") }} as listed
            on stated.source = listed.source
            and stated.economy_code = listed.aggregate_code
            and {{ map_holds("listed", "stated.release_date") }}
    ),

    defined as (
        select
            {{ column_list(grain, "stated") }},
            economies.economy_code as member_code,
            'definition' as ground
        from stated_aggregates as stated
        inner join
            {{ ref("int_economies") }} as economies
            on {{ in_list("economies.economy_code", "stated.members") }}
            and stated.aggregate_code <> economies.economy_code
    ),

    -- The World Bank's own classification, where the release comes with it. The economies without
    -- an
    -- income group (Venezuela in 2021) are in no group of incomes, and in none that leaves out the
    -- high ones.
    classified as (
        select
            'worldbank_wdi' as source,
            valid_from as release_date,
            economy_code,
            region,
            income_group,
            case
                when income_group <> 'High income' then region || ' (excluding high income)'
            end as region_without_high_income,
            case
                when income_group in ('Lower middle income', 'Upper middle income')
                then 'Middle income'
            end as middle_income,
            case
                when income_group <> 'High income' then 'Low & middle income'
            end as low_and_middle_income
        from {{ ref("int_economy_classifications") }}
    ),

    groups_of_economies as (
        {%- for column, ground in {
            "region": "region",
            "income_group": "income group",
            "middle_income": "income group",
            "low_and_middle_income": "income group",
            "region_without_high_income": "region and income group",
        }.items() %}
            select
                source,
                release_date,
                economy_code,
                {{ column }} as group_name,
                '{{ ground }}' as ground
            from classified
            where {{ column }} is not null {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    grouped as (
        select {{ column_list(grain, "stated") }}, groups.economy_code as member_code, groups.ground
        from stated_aggregates as stated
        inner join
            groups_of_economies as groups
            on {{ equal_on("stated", "groups", ["source", "release_date"]) }}
            and stated.economy_name = groups.group_name
    ),

    -- The world is every country that any release of the source states or classifies.
    countries as (
        select source, reporter_code as economy_code
        from reporters
        union
        select source, economy_code
        from classified
    ),

    worlds as (
        select
            {{ column_list(grain, "stated") }},
            countries.economy_code as member_code,
            'all countries' as ground
        from stated_aggregates as stated
        inner join countries on stated.source = countries.source
        inner join
            {{ ref("int_economies") }} as economies
            on countries.economy_code = economies.economy_code
            and economies.kind = 'country'
        where stated.aggregate_code = 'WLD'
    ),

    listed as (
        select {{ column_list(grain) }}, member_code, ground
        from defined
        union all
        select {{ column_list(grain) }}, member_code, ground
        from grouped
        union all
        select {{ column_list(grain) }}, member_code, ground
        from worlds
    ),

    -- Of an aggregate, the whole list of one release: lists of several may differ.
    final as (
        select
            {{ column_list(grain) }},
            member_code,
            ground,
            rank() over (partition by aggregate_code order by release_date desc, source)
            = 1 as is_latest
        from listed
    )

select source, release_date, aggregate_code, member_code, ground, is_latest
from final
order by source, release_date, aggregate_code, member_code
