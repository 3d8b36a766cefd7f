/*
title: The latest year of each breakdown, or other period where no year is stated
*/
select reporter_code, concept, arg_max(period, (frequency = 'A', period)) as period
from marts.mart_balance_by_{{ breakdown }}
where
    {{ breakdown }}_code <> $total
    and coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null
group by reporter_code, concept
order by reporter_code, concept
