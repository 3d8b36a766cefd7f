-- name: rates_that_contradict_their_method
select currency, period, method, units_per_usd, source, release_date
from $batch
where
    (units_per_usd is null) <> (method = 'no rate')
    or (source is null) <> (method in ('no rate', 'US dollar'))
    or (source is null) <> (release_date is null)
    or (currency = 'USD') <> (method = 'US dollar')
    or (currency = 'USD' and units_per_usd <> 1)
;
