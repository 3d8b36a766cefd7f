-- name: balance_other_than_its_sides
select
    source,
    release_date,
    period,
    sum(
        case flow when 'balance' then - value when 'receipts' then value else - value end
    ) as difference
from $batch
group by source, release_date, period
having
    count(value) = 3
    and abs(sum(case flow when 'balance' then - value when 'receipts' then value else - value end))
    > $tolerance
;
