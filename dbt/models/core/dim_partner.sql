with
    final as (
        select
            economy_code as partner_code,
            economy_name as partner_name,
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
    partner_code,
    partner_name,
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
order by partner_code
