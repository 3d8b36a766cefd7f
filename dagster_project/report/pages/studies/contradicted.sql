/*
title: Statements that a release contradicts
columns:
  sentence: [Statement, sentence]
  stated_value: [The text says, stated]
  found_value: [The release says, found]
  source: Source
  release_date: Release
note: >-
  Definitions and vintages differ: a statement may well have been true by the release that its
  author had.
*/
select
    text_release,
    sentence,
    stated_value,
    found_value,
    verdict,
    source,
    release_date,
    method,
    comparator,
    unit,
    unit_multiplier,
    rounding
from marts.mart_published_claims
where verdict = 'contradicted'
order by text_release, claim_id, release_date
