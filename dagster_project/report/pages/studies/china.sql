/*
title: "{heading}"
unit: "{unit}"
columns:
  member_name: Member
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
  share_of_receipts_pct: "% of receipts"
  share_of_payments_pct: "% of payments"
sources: source
chart: {name: member_bars, member: member_name}
alt: >-
  Bar chart of China's {drawn} in the first half of 2018 {heading_lower}. The table below has the
  numbers.
note: The last row is the total, not a member.
*/
select
    member_code,
    member_name,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    share_of_receipts_pct,
    share_of_payments_pct,
    source
from balance_of('CHN', $breakdown)
where period = '2018-S1' and concept = 'BPM6_SH'
order by member_code in ('_T', 'WLD'), balance_usd_m, payments_usd_m desc, member_code
