/*
title: The largest asymmetries, and what explains them
unit: latest year that both sides state
columns:
  receiver: Receiver
  payer: Payer
  period: Year
  receipts_stated_usd_m: Received
  payments_stated_usd_m: Paid
  asymmetry_usd_m: Difference
  vintage_usd_m: Vintage
  method_usd_m: Method
  rounding_usd_m: Rounding
  currency_usd_m: Exchange rate
  unexplained_usd_m: Unexplained
sources: [receipts_source, payments_source]
note: >-
  The five parts add up to the difference, each with its sign. Vintage and method: how much of it goes
  away if each side is scaled to its reporter's preferred total; a minus means that they hide part of
  the difference. Rounding and exchange rate: as much of the rest as they may explain at most.
*/
with
    latest as (
        select receiver_code, payer_code, max(period) as period
        from marts.mart_mirror_asymmetry
        where comparison = 'both stated' and frequency = 'A' and concept = 'BPM6_SH'
        group by receiver_code, payer_code
    )
select
    receivers.reporter_name as receiver,
    payers.partner_name as payer,
    mirror.period,
    receipts_stated_usd_m,
    payments_stated_usd_m,
    asymmetry_usd_m,
    vintage_usd_m,
    method_usd_m,
    rounding_usd_m,
    currency_usd_m,
    unexplained_usd_m,
    receipts_source,
    payments_source
from marts.mart_mirror_asymmetry as mirror
inner join latest using (receiver_code, payer_code, period)
inner join core.dim_reporter as receivers on receiver_code = receivers.reporter_code
inner join core.dim_partner as payers on payer_code = payers.partner_code
where comparison = 'both stated' and concept = 'BPM6_SH'
order by abs(asymmetry_usd_m) desc, receiver_code, payer_code, receipts_source, payments_source
limit 40
