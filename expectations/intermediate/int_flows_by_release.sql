-- name: balance_other_than_its_sides
with
    terms as (
        select
            source,
            release_date,
            reporter_code,
            partner_code,
            sector_code,
            category_code,
            affiliation_code,
            region_code,
            concept,
            period,
            frequency,
            currency,
            receipts,
            payments,
            balance,
            unnest([receipts, - payments, - balance]) as value,
            unnest([receipts_rounding, payments_rounding, balance_rounding]) as rounding
        from $batch
        where balance_is_stated
    )
select
    source,
    release_date,
    reporter_code,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept,
    period,
    frequency,
    currency,
    receipts,
    payments,
    balance
from terms
group by all
having count(value) = 3 and abs(sum(value)) > $tolerance
order by source, release_date, period
;
