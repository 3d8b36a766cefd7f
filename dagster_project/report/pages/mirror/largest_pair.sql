/*
optional: true
title: "{receiver} from {payer}: receipts as one states them, payments as the other does"
unit: by year
columns:
  period: Year
  receipts_stated_usd_m: Received
  payments_stated_usd_m: Paid
  asymmetry_usd_m: Difference
  asymmetry_pct: "%"
  comparison: Comparison
sources: [receipts_source, payments_source]
chart: two_sides
alt: >-
  Dot chart of two series by year, joined by a line where both are stated: what the receiver says it
  received differs from what the payer says it paid. The table below has the numbers.
note: The percentage is relative to the mean of the two. A withheld side is suppressed by its publisher.
*/
with
    latest as (
        select receiver_code, payer_code, max(period) as period
        from marts.mart_mirror_asymmetry
        where comparison = 'both stated' and frequency = 'A' and concept = 'BPM6_SH'
        group by receiver_code, payer_code
    ),
    largest as (
        select receiver_code, payer_code, receipts_source, payments_source
        from marts.mart_mirror_asymmetry
        inner join latest using (receiver_code, payer_code, period)
        where comparison = 'both stated' and concept = 'BPM6_SH'
        order by
            abs(asymmetry_usd_m) desc, receiver_code, payer_code, receipts_source, payments_source
        limit 1
    )
select
    period,
    receipts_stated_usd_m,
    payments_stated_usd_m,
    asymmetry_usd_m,
    asymmetry_pct,
    comparison,
    receipts_source,
    payments_source,
    receivers.reporter_name as receiver,
    payers.partner_name as payer
from marts.mart_mirror_asymmetry
inner join largest using (receiver_code, payer_code, receipts_source, payments_source)
inner join core.dim_reporter as receivers on receiver_code = receivers.reporter_code
inner join core.dim_partner as payers on payer_code = payers.partner_code
where frequency = 'A' and concept = 'BPM6_SH'
order by period
