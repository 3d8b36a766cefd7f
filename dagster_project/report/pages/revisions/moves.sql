/*
title: From release to release
unit: numbers that both releases state, and those that the later one dropped
columns:
  source: Source
  previous_release_date: From
  release_date: To
  numbers: Numbers
  moved: Revised
  moved_pct: "% revised"
  dropped: Dropped
  median_move_pct: ["Median revision, %", number]
sources: source
note: An aggregate whose members changed is not counted; the median is that of countries and of aggregates with the same members.
*/
select
    source,
    previous_release_date,
    release_date,
    count(value) filter (revision_kind <> 'composition') as numbers,
    count(*) filter (revision_kind = 'changed') as moved,
    round(100 * moved / nullif(numbers, 0), 1) as moved_pct,
    count(*) filter (revision_kind = 'dropped') as dropped,
    round(
        median(abs(change_pct)) filter (revision_kind = 'changed' and has_same_members), 2
    ) as median_move_pct
from marts.mart_revisions
group by source, previous_release_date, release_date
order by source, release_date
