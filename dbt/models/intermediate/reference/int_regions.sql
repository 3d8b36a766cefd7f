-- Subdivisions of countries (ISO 3166-2), with the total and the placeholder for codes that no list
-- has.
with
    latest_iso as (
        select max(release_date) as release_date from {{ ref("stg_iso_3166__subdivisions") }}
    ),

    subdivisions as (
        select
            subdivisions.region_code,
            subdivisions.region_name,
            subdivisions.region_type,
            countries.economy_code,
            subdivisions.parent_code
        from {{ ref("stg_iso_3166__subdivisions") }} as subdivisions
        inner join latest_iso on subdivisions.release_date = latest_iso.release_date
        left join
            {{ ref("int_economies") }} as countries
            on subdivisions.iso2 = countries.iso2
            and countries.kind = 'country'
            and countries.valid_to is null
    ),

    final as (
        select region_code, region_name, region_type, economy_code, parent_code
        from subdivisions
        union all
        select '_T', 'All subdivisions', 'total', cast(null as string), cast(null as string)
        union all
        select '_U', 'Unmapped', 'unallocated', cast(null as string), cast(null as string)
        union all
        select
            '_X',
            'Not allocated (withheld, not broken down or rounded away)',
            'unallocated',
            cast(null as string),
            cast(null as string)
    )

select region_code, region_name, region_type, economy_code, parent_code
from final
