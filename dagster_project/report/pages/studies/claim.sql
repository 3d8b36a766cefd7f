/*
title: "{sentence}"
columns:
  stated_value: [The text says, stated]
  found_value: [The warehouse finds, found]
  verdict: [Verdict, verdict]
  source: Source
  release_date: Release
  method: Computed from
*/
select
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
where claim_id = $claim
order by release_date, source
