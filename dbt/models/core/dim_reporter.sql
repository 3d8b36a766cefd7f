with
    final as (
        select
            economy_code as reporter_code,
            economy_name as reporter_name,
            kind,
            iso3,
            iso2,
            m49,
            {{ class_of_economy("region") }} as world_bank_region,
            {{ class_of_economy("income_group") }} as income_group,
            {{ class_of_economy("un_region") }} as un_region,
            {{ class_of_economy("un_subregion") }} as un_subregion,
            is_least_developed,
            is_small_island_state,
            currencies,
            valid_from,
            valid_to,
            members
        from {{ ref("int_economies") }}
    )

select
    reporter_code,
    reporter_name,
    kind,
    iso3,
    iso2,
    m49,
    world_bank_region,
    world_bank_region as region,
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
order by reporter_code
