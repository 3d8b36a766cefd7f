/*
title: "{heading}, {period}"
unit: "{unit}"
columns:
  member_name: Member
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
  share_of_receipts_pct: "% of receipts"
  share_of_payments_pct: "% of payments"
  rank_by_receipts: Rank by receipts
  rank_by_payments: Rank by payments
sources: source
chart: {name: ranked_member_bars, member: member_name}
alt: >-
  Bar chart of the receipts and payments of {name} {heading_lower} in {period}: the largest
  members, and the unallocated rest. All are in the table below.
note: >-
  The last row is the rest of the total that the source states in the same release, so the rows add up
  to it; a dash where it states none. A member has a rank where no withheld one could be above it.
  {about_total}
open: 12
*/
select
    {{ breakdown }}_code as member_code,
    case
        when withheld_receipts + withheld_payments > 0
        then
            'Not allocated (withheld: '
            || withheld_receipts
            || ' receipts, '
            || withheld_payments
            || ' payments)'
        when member_kind = 'unallocated'
        then 'Not allocated'
        else {{ breakdown }}_name
    end as member_name,
    member_kind,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    share_of_receipts_pct,
    share_of_payments_pct,
    rank_by_receipts,
    receipts_ranked_among,
    rank_by_payments,
    payments_ranked_among,
    withheld_receipts,
    withheld_payments,
    case
        when not has_country_total
        then 'The total of the country above is from another source or release.'
        else ''
    end as about_total,
    receipts_status,
    receipts_comparator,
    payments_status,
    payments_comparator,
    balance_status,
    balance_comparator,
    source
from marts.flows_by_{{ breakdown }}{{ suffix }}
where reporter_code = $code and period = $period
order by
    member_kind = 'unallocated',
    greatest(
        coalesce(receipts_usd_m, 0), coalesce(payments_usd_m, 0), abs(coalesce(balance_usd_m, 0))
    ) desc,
    member_code
