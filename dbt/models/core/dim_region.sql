with
    final as (
        select region_code, region_name, region_type, economy_code, parent_code
        from {{ ref("int_regions") }}
    )

select region_code, region_name, region_type, economy_code, parent_code
from final
order by region_code
