-- name: averages_of_too_few_days
select
    rate_source as source,
    (select max(release_date) from staging.stg_ecb_reference_rates__daily) as release_date,
    currency,
    period,
    days
from $batch
where
    currency not in ('USD', 'EUR')
    and days < 10 * case frequency when 'A' then 12 when 'S' then 6 when 'Q' then 3 else 1 end
;

-- name: far_from_the_federal_reserve
select
    fed.source,
    fed.release_date,
    rates.currency,
    rates.period,
    rates.units_per_usd,
    fed.units_per_usd as fed_units_per_usd
from $batch as rates
join seeds.currency_code_map as currencies on rates.currency = currencies.currency
join
    staging.stg_fed_exchange_rates__annual as fed
    on currencies.source = fed.source
    and currencies.source_code = fed.country
    and rates.period = fed.period
where
    rates.rate_source = 'ecb_reference_rates'
    and abs(fed.units_per_usd / rates.units_per_usd - 1) > 0.03
;
