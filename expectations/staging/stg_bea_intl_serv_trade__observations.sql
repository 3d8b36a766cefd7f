-- name: balance_other_than_its_sides
select
    source,
    release_date,
    type_of_service,
    area,
    affiliation,
    period,
    sum(case flow when 'receipts' then value else - value end) as difference
from $batch
group by all
having
    count(value) = 3
    and abs(sum(case flow when 'receipts' then value else - value end)) > $tolerance
;

-- name: affiliations_above_their_total
select
    source,
    release_date,
    type_of_service,
    area,
    flow,
    period,
    sum(case affiliation when '_T' then - value else value end) as excess
from $batch
where flow <> 'balance'
group by all
having
    count(case when affiliation = '_T' then value end) = 1
    and sum(case affiliation when '_T' then - value else value end) > $tolerance
;
