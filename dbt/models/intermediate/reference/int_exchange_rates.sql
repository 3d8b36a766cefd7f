-- Units of a currency per US dollar, averaged over the days of each finished year,
-- half-year, quarter and month; where the ECB has no rate, the annual average of the
-- Federal Reserve.
-- The ECB quotes against the euro, so a day's rate is (units per EUR) / (USD per EUR), and these
-- are averaged.
{%- set columns = [
    "currency",
    "period",
    "frequency",
    "units_per_usd",
    "relative_deviation",
    "days",
    "is_complete",
    "rate_source",
    "release_date",
] %}
with
    latest_release as (
        select max(release_date) as release_date from {{ ref("stg_ecb_reference_rates__daily") }}
    ),

    quotes as (
        select rates.day, rates.currency, rates.units_per_eur
        from {{ ref("stg_ecb_reference_rates__daily") }} as rates
        inner join latest_release on rates.release_date = latest_release.release_date
    ),

    dollar_quotes as (
        select day, units_per_eur as dollars_per_eur from quotes where currency = 'USD'
    ),

    daily_rates as (
        select
            quotes.day,
            quotes.currency,
            quotes.units_per_eur / dollar_quotes.dollars_per_eur as units_per_usd
        from quotes
        inner join dollar_quotes on quotes.day = dollar_quotes.day
        union all
        select day, 'EUR' as currency, 1 / dollars_per_eur as units_per_usd
        from dollar_quotes
    ),

    frequencies as (select frequency from (values ('A'), ('S'), ('Q'), ('M')) as listed(frequency)),

    averages as (
        select
            daily_rates.currency,
            {{ period_of_day("daily_rates.day", "frequencies.frequency") }} as period,
            frequencies.frequency,
            -- The last bits of a float average depend on the order of the rows, those of a sum of
            -- decimals do not. A deviation is rounded instead.
            round(
                cast(avg(cast(daily_rates.units_per_usd as decimal(28, 12))) as double), 9
            ) as units_per_usd,
            round(
                stddev_pop(daily_rates.units_per_usd) / avg(daily_rates.units_per_usd), 9
            ) as relative_deviation,
            count(*) as days
        from daily_rates
        cross join frequencies
        group by
            daily_rates.currency,
            {{ period_of_day("daily_rates.day", "frequencies.frequency") }},
            frequencies.frequency
    ),

    dollar_days as (select period, days from averages where currency = 'USD'),

    last_day as (select max(day) as day from dollar_quotes),

    -- A period counts once the data reach its end, and a currency only if it was quoted on nine in
    -- ten of the period's days: the rouble's rates of early 2022 are not an average of 2022.
    ecb_rates as (
        select
            averages.currency,
            averages.period,
            averages.frequency,
            averages.units_per_usd,
            averages.relative_deviation,
            averages.days,
            averages.days = dollar_days.days as is_complete,
            'ecb_reference_rates' as rate_source,
            latest_release.release_date
        from averages
        inner join dollar_days on averages.period = dollar_days.period
        cross join last_day
        cross join latest_release
        where
            last_day.day >= {{ period_end("averages.period") }}
            and averages.days * 10 >= dollar_days.days * 9
    ),

    latest_fed_release as (
        select max(release_date) as release_date from {{ ref("stg_fed_exchange_rates__annual") }}
    ),

    -- Years before 1999, and currencies that the ECB does not quote. For an annual average the
    -- deviation within the year is not known.
    -- No rows if the landing folder has no such file.
    fed_rates as (
        select
            currencies.currency,
            rates.period,
            'A' as frequency,
            rates.units_per_usd,
            cast(null as double) as relative_deviation,
            cast(null as bigint) as days,
            cast(null as boolean) as is_complete,
            rates.source as rate_source,
            rates.release_date
        from {{ ref("stg_fed_exchange_rates__annual") }} as rates
        inner join
            {{ ref("currency_code_map") }} as currencies
            on rates.source = currencies.source
            and rates.country = currencies.source_code
            and {{ map_holds("currencies", "rates.release_date") }}
            and cast(rates.period as int) >= coalesce(currencies.first_year, 0)
            and cast(rates.period as int) <= coalesce(currencies.last_year, 9999)
        inner join latest_fed_release on rates.release_date = latest_fed_release.release_date
        left join
            ecb_rates
            on currencies.currency = ecb_rates.currency
            and rates.period = ecb_rates.period
        where
            ecb_rates.currency is null
            and cast(rates.period as int) < extract(year from rates.release_date)
    ),

    final as (
        select {{ column_list(columns) }}
        from ecb_rates
        union all
        select {{ column_list(columns) }}
        from fed_rates
    )

select {{ column_list(columns) }}
from final
