-- name: rates_that_double_or_halve
select day, currency, units_per_eur, previous
from
    (
        select
            day,
            currency,
            units_per_eur,
            lag(units_per_eur) over (partition by currency order by day) as previous,
            lag(day) over (partition by currency order by day) as previous_day
        from $batch
    ) as moves
where day - previous_day <= 10 and (units_per_eur > 2 * previous or units_per_eur < 0.5 * previous)
;
