-- name: more_than_the_asymmetry
select period, receiver_code, payer_code, receipts_source, payments_source, asymmetry_usd_m
from $batch
where
    rounding_usd_m + currency_usd_m + method_usd_m + unexplained_usd_m
    < abs(asymmetry_usd_m) - 5 * 0.000001 / 2
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
