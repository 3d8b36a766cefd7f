-- name: aggregates_that_are_not_the_sum
select 'aggregate_code' as column_name, aggregate_code as code, count(*) as rows_found
from $batch
where
    abs(receipts_not_of_members_usd_m) > 0.01 * abs(receipts_usd_m)
    or abs(payments_not_of_members_usd_m) > 0.01 * abs(payments_usd_m)
group by aggregate_code
order by rows_found desc, code
;

-- name: more_reporters_than_members
select source, aggregate_code, period, members
from $batch
where
    members < greatest(reporters_counted_receipts, reporters_counted_payments)
    or reporters_counted_receipts < reporters_compared_receipts
    or reporters_counted_payments < reporters_compared_payments
;
