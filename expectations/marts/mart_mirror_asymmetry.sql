-- name: sums_other_than_the_asymmetry
select period, receiver_code, payer_code, receipts_source, payments_source, asymmetry_usd_m
from $batch
where
    vintage_usd_m + method_usd_m + rounding_usd_m + currency_usd_m + unexplained_usd_m
    <> asymmetry_usd_m
    or (asymmetry_usd_m is null) <> (unexplained_usd_m is null)
;

-- name: beyond_the_ranges
select
    period,
    receiver_code,
    payer_code,
    receipts_source,
    payments_source,
    rounding_usd_m,
    currency_usd_m,
    unexplained_usd_m
from $batch
where
    abs(rounding_usd_m) > rounding_range_usd_m
    or abs(currency_usd_m) > coalesce(currency_range_usd_m, 0)
    or rounding_usd_m * unexplained_usd_m < 0
    or currency_usd_m * unexplained_usd_m < 0
    or rounding_usd_m * currency_usd_m < 0
;

-- name: sides_a_hundredfold_apart
with
    apart as (
        select *
        from $batch
        where
            least(receipts_stated_usd_m, payments_stated_usd_m) > 100
            and greatest(receipts_stated_usd_m, payments_stated_usd_m)
            > 100 * least(receipts_stated_usd_m, payments_stated_usd_m)
    ),
    sides as (
        select
            receipts_source as source, receiver_code as reporter_code, payer_code as partner_code, *
        from apart
        union all
        select
            payments_source as source, payer_code as reporter_code, receiver_code as partner_code, *
        from apart
    )
select
    source,
    reporter_code,
    partner_code,
    '_T' as sector_code,
    '_T' as category_code,
    '_T' as affiliation_code,
    '_T' as region_code,
    concept,
    period,
    receipts_source,
    receipts_stated_usd_m,
    payments_source,
    payments_stated_usd_m
from sides
;
