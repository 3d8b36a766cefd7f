with
    final as (
        select economy_code, region, income_group, valid_from, valid_to
        from {{ ref("int_economy_classifications") }}
    )

select economy_code, region, income_group, valid_from, valid_to
from final
order by economy_code, valid_from
