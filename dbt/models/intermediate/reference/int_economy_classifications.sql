-- Region and income group change between releases, so an economy's classification in a release is
-- valid until the next release that classifies it: a download of one country ends no other's.
with
    classifications as (
        select
            coalesce(economy_code_map.economy_code, countries.country_code) as economy_code,
            countries.region,
            countries.income_group,
            countries.release_date as valid_from
        from {{ ref("stg_worldbank_wdi__countries") }} as countries
        left join
            {{ ref("economy_code_map") }} as economy_code_map
            on countries.source = economy_code_map.source
            and countries.country_code = economy_code_map.source_code
            and {{ map_holds("economy_code_map", "countries.release_date") }}
        where countries.region is not null or countries.income_group is not null
    ),

    final as (
        select
            economy_code,
            region,
            income_group,
            valid_from,
            lead(valid_from) over (partition by economy_code order by valid_from) as valid_to
        from classifications
    )

select economy_code, region, income_group, valid_from, valid_to
from final
