with
    final as (
        select
            economy_code as reporter_code,
            economy_name as reporter_name,
            kind,
            iso3,
            iso2,
            m49,
            region,
            income_group,
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
    region,
    income_group,
    valid_from,
    valid_to,
    members
from final
order by reporter_code
