-- name: shares_beyond_a_whole
select claim_id, stated_value
from $batch
where
    measure in (
        'receipts_share_pct',
        'payments_share_pct',
        'receipts_share_of_trade_pct',
        'payments_share_of_trade_pct'
    )
    and (stated_value < 0 or stated_value > 100)
;
