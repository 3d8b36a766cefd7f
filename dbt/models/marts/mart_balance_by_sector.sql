select
    reporter_code,
    member_code as sector_code,
    member_name as sector_name,
    period,
    frequency,
    source,
    concept,
    preferred,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    share_of_receipts_pct,
    share_of_payments_pct,
    share_of_balance_pct,
    rank_by_receipts,
    rank_by_payments,
    receipts_growth_pct,
    payments_growth_pct,
    balance_change_usd_m,
    previous_is_derived,
    is_computed
from {{ ref("int_flows_by_member") }}
where dimension = 'sector'
order by reporter_code, period, source, concept, sector_code
