/*
title: By source and breakdown
unit: figures of the latest releases
columns:
  source: Source
  dimension: Breakdown
  reporters: Reporters
  first_period: First
  last_period: Last
  stated: Stated
  suppressed: Suppressed
  missing: Missing
  stated_pct: "% stated"
*/
select
    source,
    dimension,
    count(distinct reporter_code) as reporters,
    min(period) as first_period,
    max(period) as last_period,
    sum(figures_stated) as stated,
    sum(figures_suppressed) as suppressed,
    sum(figures_missing) as missing,
    round(
        100 * sum(figures_stated) / sum(figures_stated + figures_suppressed + figures_missing), 1
    ) as stated_pct
from marts.mart_coverage
group by source, dimension
order by source, dimension
