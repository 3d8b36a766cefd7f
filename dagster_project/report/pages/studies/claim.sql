/*
title: "{sentence}"
columns:
  stated_value: [The text says, stated]
  found_value: [The warehouse finds, found]
  deviation_pct: [Deviation %, number]
  verdict: [Verdict, verdict]
  source: Source
  release_date: Release
  method: Computed from
  series_begins: Series begins
  data_would_be_in: Public source
*/
select
    stated_value,
    found_value,
    deviation_pct,
    verdict,
    source,
    release_date,
    method,
    series_begins,
    data_would_be_in,
    comparator,
    unit,
    unit_multiplier,
    rounding
from marts.mart_published_claims
where claim_id = $claim
order by release_date, source
