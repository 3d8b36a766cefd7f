-- name: aggregates_that_are_not_the_sum
select
    source,
    aggregate_code,
    period,
    receipts_usd_m,
    members_receipts_usd_m,
    payments_usd_m,
    members_payments_usd_m
from $batch
where
    abs(receipts_not_of_members_usd_m) > 0.01 * abs(receipts_usd_m)
    or abs(payments_not_of_members_usd_m) > 0.01 * abs(payments_usd_m)
;
