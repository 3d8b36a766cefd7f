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
  newer_differ: Newer figures differ
  undecided: Not decided
  no_data: No data
note: >-
  One verdict per statement, over all releases. Newer figures differ: revised or superseded. Not decided: an older vintage,
  another concept, or a rank without its competitors.
*/
select
    text_release,
    citation,
    count(*) as statements,
    count(*) filter (verdict = 'confirmed') as confirmed,
    count(*) filter (verdict = 'consistent') as consistent,
    count(*) filter (verdict = 'contradicted') as contradicted,
    count(*) filter (verdict in ('revised', 'superseded')) as newer_differ,
    count(*) filter (verdict in ('older_vintage', 'not_comparable', 'undecided')) as undecided,
    count(*) filter (verdict = 'no_data') as no_data
from marts.claim_verdicts
group by text_release, citation
order by text_release
