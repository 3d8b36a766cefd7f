-- The questions of the release on China's first half of 2018: which industry, which kind
-- of right and which province, and which partners make up the deficit? Each breakdown
-- with its shares; a total is repeated in each and never added to its parts.
{%- set breakdowns = ["partner", "sector", "category", "region"] %}
with
    breakdowns as (
        {%- for dimension in breakdowns %}
            select
                '{{ dimension }}' as breakdown,
                {{ dimension }}_code as member_code,
                {{ dimension }}_name as member_name,
                source,
                receipts_usd_m,
                payments_usd_m,
                balance_usd_m,
                share_of_receipts_pct,
                share_of_payments_pct,
                share_of_balance_pct,
                receipts_growth_pct,
                payments_growth_pct,
                balance_change_usd_m
            from {{ ref("mart_balance_by_" ~ dimension) }}
            where
                reporter_code = 'CHN' and period = '2018-S1' and concept = 'BPM6_SH' and preferred
                {{ "union all" if not loop.last }}
        {%- endfor %}
    )

select
    breakdown,
    member_code,
    member_name,
    source,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    share_of_receipts_pct,
    share_of_payments_pct,
    share_of_balance_pct,
    receipts_growth_pct,
    payments_growth_pct,
    balance_change_usd_m
from breakdowns
order by breakdown, member_code
