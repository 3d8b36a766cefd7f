with
    -- The World Bank's fiscal year begins in July, with a new classification by income.
    final as (
        select
            economy_code,
            coalesce(region, 'Not classified') as world_bank_region,
            coalesce(income_group, 'Not classified') as income_group,
            cast(
                extract(year from valid_from)
                + case when extract(month from valid_from) >= 7 then 1 else 0 end as int
            ) as fiscal_year,
            valid_from,
            valid_to
        from {{ ref("int_economy_classifications") }}
    )

select
    economy_code,
    world_bank_region,
    world_bank_region as region,
    income_group,
    fiscal_year,
    valid_from,
    valid_to
from final
order by economy_code, valid_from
