-- name: ranks_out_of_range
select
    period,
    reporter_code,
    source,
    rank_by_receipts,
    rank_by_payments,
    rank_by_balance,
    reporters_ranked
from $batch
where
    least(rank_by_receipts, rank_by_payments, rank_by_balance) < 1
    or greatest(rank_by_receipts, rank_by_payments, rank_by_balance) > reporters_ranked
    or rank_by_balance > balance_ranked_among
    or (rank_by_balance is null) <> (balance_ranked_among is null)
;
