-- The question of the Bank of Japan's 2004 study: when did Japan's royalty balance turn into a
-- surplus, and has it stayed there? One row per year, with the year's rank.
select
    balances.period,
    balances.source,
    balances.receipts_usd_m,
    balances.payments_usd_m,
    balances.balance_usd_m,
    balances.balance_change_usd_m,
    balances.balance_usd_m > 0 as is_surplus,
    ranking.rank_by_receipts,
    ranking.rank_by_balance
from {{ ref("mart_balance_by_partner") }} as balances
inner join
    {{ ref("mart_world_ranking") }} as ranking
    on balances.reporter_code = ranking.reporter_code
    and balances.period = ranking.period
    and balances.source = ranking.source
    and balances.concept = ranking.concept
where
    balances.reporter_code = 'JPN'
    and balances.partner_code = 'WLD'
    and balances.frequency = 'A'
    and balances.concept = 'BPM6_SH'
    and ranking.preferred
order by balances.period
