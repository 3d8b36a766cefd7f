/*
title: How far figures moved from one release to the next, share of the figures
about: ["Figures stated by both releases; their number is on the right."]
*/
select
    source || ', ' || previous_release_date || ' to ' || release_date as "group",
    case
        when revision_kind = 'unchanged'
        then 'not changed'
        when abs(change_pct) <= 1
        then 'up to 1 %'
        when abs(change_pct) <= 5
        then 'up to 5 %'
        when abs(change_pct) <= 20
        then 'up to 20 %'
        else 'more than 20 %'
    end as size,
    count(*) as figures
from marts.mart_revisions
where value is not null and revision_kind <> 'composition'
group by source, previous_release_date, release_date, size
order by source, release_date, previous_release_date, size
