-- Region and income group change between releases, so each release's classification is valid until
-- the next one.
with
    releases as (select distinct release_date from {{ ref("stg_worldbank_wdi__countries") }}),

    release_validity as (
        select
            release_date as valid_from, lead(release_date) over (order by release_date) as valid_to
        from releases
    ),

    final as (
        select
            coalesce(economy_code_map.economy_code, countries.country_code) as economy_code,
            countries.region,
            countries.income_group,
            release_validity.valid_from,
            release_validity.valid_to
        from {{ ref("stg_worldbank_wdi__countries") }} as countries
        inner join release_validity on countries.release_date = release_validity.valid_from
        left join
            {{ ref("economy_code_map") }} as economy_code_map
            on countries.source = economy_code_map.source
            and countries.country_code = economy_code_map.source_code
            and {{ map_holds("economy_code_map", "countries.release_date") }}
        where countries.region is not null or countries.income_group is not null
    )

select economy_code, region, income_group, valid_from, valid_to
from final
