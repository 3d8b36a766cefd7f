/*
title: With the United States and China, and by kind of right
columns:
  period: Period
  partner_code: [Partner, code]
  category_code: [Kind of right, code]
  receipts_usd_m: Receipts
  payments_usd_m: Payments
  balance_usd_m: Balance
  source: Source
  release_date: Release
sources: source
note: >-
  The series by partner and kind of right that the study itself used are not among the releases.
*/
select
    period,
    partner_code,
    category_code,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    source,
    release_date
from core.fct_royalty_flows
where
    reporter_code = 'JPN'
    and concept in ('BPM6_SH', 'BPM5_ROYALTIES')
    and (partner_code in ('USA', 'CHN') or category_code in ('IND_PROP', 'COPYRIGHT', 'SH3'))
order by period, partner_code, category_code, source
