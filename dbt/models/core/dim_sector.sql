with
    final as (
        select sector_code, sector_name, level as sector_level, parent_code
        from {{ ref("sectors") }}
    )

select sector_code, sector_name, sector_level, parent_code
from final
order by sector_code
