/*
title: "{heading}, {period} (definition {concept})"
unit: "{unit}"
columns:
  member_name: Member
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
  share_of_receipts_pct: "% of receipts"
  share_of_payments_pct: "% of payments"
  source: Source
sources: source
chart: {name: ranked_member_bars, member: member_name}
alt: >-
  Bar chart of the receipts and payments of {name} {heading_lower} in {period}: the largest
  members. All are in the table below.
note: "The last row is the total. Groups overlap with their members: never add the rows up."
open: 12
*/
select
    {{ mart_dimension }}_code as member_code,
    {{ mart_dimension }}_name as member_name,
    member_kind,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    share_of_receipts_pct,
    share_of_payments_pct,
    receipts_status,
    receipts_comparator,
    payments_status,
    payments_comparator,
    balance_status,
    balance_comparator,
    source
from marts.mart_balance_by_{{ mart_dimension }}
where
    reporter_code = $code
    and period = $period
    and concept = $concept
    and concept <> 'BPM6_SH'
    and preferred
    and coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
order by
    member_kind = 'total',
    greatest(
        coalesce(receipts_usd_m, 0), coalesce(payments_usd_m, 0), abs(coalesce(balance_usd_m, 0))
    ) desc,
    member_code
