/*
title: How large the revisions are
unit: number of revisions by size, relative to the earlier value, without aggregates whose members may have changed
columns:
  size: Size of the revision
  revisions: Revisions
sources: source
chart: {name: counted_bars, label: size, value: revisions}
alt: Bar chart of the number of revisions by their size. The table below has the numbers.
open: 0
*/
with
    sized as (
        select
            source,
            abs(change_pct) as move,
            case
                when move < 0.5
                then 'below 0.5 %'
                when move < 1
                then '0.5 to 1 %'
                when move < 5
                then '1 to 5 %'
                when move < 10
                then '5 to 10 %'
                when move < 50
                then '10 to 50 %'
                else '50 % and more'
            end as size
        from marts.mart_revisions
        where revision_kind = 'changed' and has_same_members and change_pct is not null
    )
select size, count(*) as revisions, list(distinct source order by source) as source
from sized
group by size
order by min(move)
