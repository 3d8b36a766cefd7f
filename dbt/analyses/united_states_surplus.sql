-- The question of the note on the surplus of the United States: who earns most from
-- intellectual property, who pays most, and where is the surplus? The ten largest
-- receivers of each year that the preferred source of the world ranking covers.
select
    period,
    rank_by_receipts,
    reporter_name,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    rank_by_payments,
    rank_by_balance,
    source
from {{ ref("mart_world_ranking") }}
where
    frequency = 'A' and concept = 'BPM6_SH' and source = 'worldbank_wdi' and rank_by_receipts <= 10
order by period desc, rank_by_receipts
