-- name: reporters_above_500_billion
select
    source,
    reporter_code,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept,
    period,
    receipts_usd_m,
    payments_usd_m
from $batch
where
    reporter_code in (select reporter_code from core.dim_reporter where kind = 'country')
    and greatest(abs(receipts_usd_m), abs(payments_usd_m)) > 500000
;
