-- Every economy, aggregate and placeholder code that can be a reporter or a partner.
{%- set columns = [
    "economy_code",
    "iso3",
    "iso2",
    "m49",
    "economy_name",
    "kind",
    "valid_from",
    "valid_to",
    "members",
] %}
with
    latest_iso as (
        select max(release_date) as release_date from {{ ref("stg_iso_3166__countries") }}
    ),

    iso_countries as (
        select
            countries.iso3 as economy_code,
            countries.iso3,
            countries.iso2,
            countries.m49,
            countries.country_name as economy_name,
            'country' as kind,
            cast(null as date) as valid_from,
            cast(null as date) as valid_to,
            cast(null as string) as members
        from {{ ref("stg_iso_3166__countries") }} as countries
        inner join latest_iso on countries.release_date = latest_iso.release_date
    ),

    other_economies as (
        select
            economies.economy_code,
            case when economies.kind = 'country' then economies.economy_code end as iso3,
            economies.iso2,
            cast(economies.m49 as string) as m49,
            economies.economy_name,
            economies.kind,
            cast(economies.valid_from as date) as valid_from,
            cast(economies.valid_to as date) as valid_to,
            cast(economies.members as string) as members
        from {{ ref("economies") }} as economies
        left join iso_countries on economies.economy_code = iso_countries.economy_code
        where iso_countries.economy_code is null
    ),

    single_economies as (
        select {{ column_list(columns) }}
        from iso_countries
        union all
        select {{ column_list(columns) }}
        from other_economies
    ),

    -- A text may state one number for several partners together: DEU+JPN+USA.
    joint_codes as (
        select distinct partner as economy_code
        from {{ ref("stg_published_figures__figures") }}
        where partner like '%+%'
    ),

    joint_economies as (
        select
            joint_codes.economy_code,
            cast(null as string) as iso3,
            cast(null as string) as iso2,
            cast(null as string) as m49,
            replace(joint_codes.economy_code, '+', ' + ') as economy_name,
            'aggregate' as kind,
            cast(null as date) as valid_from,
            cast(null as date) as valid_to,
            joint_codes.economy_code as members
        from joint_codes
        inner join
            single_economies
            on {{ in_list("single_economies.economy_code", "joint_codes.economy_code") }}
        group by joint_codes.economy_code
        having
            count(*)
            = length(joint_codes.economy_code)
            - length(replace(joint_codes.economy_code, '+', ''))
            + 1
    ),

    all_economies as (
        select {{ column_list(columns) }}
        from single_economies
        union all
        select {{ column_list(columns) }}
        from joint_economies
    ),

    current_classifications as (
        select economy_code, region, income_group
        from {{ ref("int_economy_classifications") }}
        where valid_to is null
    ),

    -- No rows if the landing folder has no country codes.
    latest_group_release as (
        select max(release_date) as release_date from {{ ref("stg_iso_country_codes__countries") }}
    ),

    latest_groups as (
        select
            groups.iso3,
            groups.un_region,
            groups.un_subregion,
            groups.is_least_developed,
            groups.is_small_island_state,
            groups.currencies
        from {{ ref("stg_iso_country_codes__countries") }} as groups
        inner join latest_group_release on groups.release_date = latest_group_release.release_date
    ),

    final as (
        select
            all_economies.economy_code,
            all_economies.iso3,
            all_economies.iso2,
            all_economies.m49,
            all_economies.economy_name,
            all_economies.kind,
            current_classifications.region,
            current_classifications.income_group,
            latest_groups.un_region,
            latest_groups.un_subregion,
            latest_groups.is_least_developed,
            latest_groups.is_small_island_state,
            latest_groups.currencies,
            all_economies.valid_from,
            all_economies.valid_to,
            all_economies.members
        from all_economies
        left join
            current_classifications
            on all_economies.economy_code = current_classifications.economy_code
        left join latest_groups on all_economies.iso3 = latest_groups.iso3
    )

select
    economy_code,
    iso3,
    iso2,
    m49,
    economy_name,
    kind,
    region,
    income_group,
    un_region,
    un_subregion,
    is_least_developed,
    is_small_island_state,
    currencies,
    valid_from,
    valid_to,
    members
from final
