/*
title: The texts
unit: statements by verdict
columns:
  text_release: [Date, date]
  citation: [Text, study]
  statements: Statements
  confirmed: Confirmed
  consistent: Consistent
  contradicted: Contradicted
  no_data: No data
note: A statement that several releases answer differently counts in each verdict.
*/
select
    text_release,
    citation,
    count(distinct claim_id) as statements,
    count(distinct claim_id) filter (verdict = 'confirmed') as confirmed,
    count(distinct claim_id) filter (verdict = 'consistent') as consistent,
    count(distinct claim_id) filter (verdict = 'contradicted') as contradicted,
    count(distinct claim_id) filter (verdict = 'no_data') as no_data
from marts.mart_published_claims
group by text_release, citation
order by text_release
