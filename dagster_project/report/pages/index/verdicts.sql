/*
title: Statements by verdict
columns:
  verdict: [Verdict, verdict]
  statements: Statements
*/
select verdict, count(*) as statements
from marts.claim_verdicts
where text_release = cast($text_release as date)
group by verdict
order by verdict
