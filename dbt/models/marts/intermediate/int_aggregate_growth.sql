-- How many members of an aggregate report, and its growth with the same reporters in both years:
-- the columns of mart_aggregates that other marts show beside the aggregate's totals. A reporter
-- without a row here is not an aggregate; a NULL growth of one with a row says that its members are
-- not known, or that no member reports in both years.
with
    final as (
        select
            source,
            concept,
            aggregate_code as reporter_code,
            period,
            reporters_counted_receipts,
            reporters_counted_payments,
            receipts_growth_pct,
            payments_growth_pct
        from {{ ref("mart_aggregates") }}
    )

select
    source,
    concept,
    reporter_code,
    period,
    reporters_counted_receipts,
    reporters_counted_payments,
    receipts_growth_pct,
    payments_growth_pct
from final
