/*
title: Statements by verdict
columns:
  verdict: [Verdict, verdict]
  statements: Statements
*/
-- A statement that several releases answer differently counts in each verdict.
select verdict, count(distinct claim_id) as statements
from marts.mart_published_claims
where text_release = cast($text_release as date)
group by verdict
order by verdict
