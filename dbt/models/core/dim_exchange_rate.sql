-- The rates behind every figure in US dollars, in all currencies and periods that have one. US
-- dollars
-- have a row too, and so has a currency that a figure is stated in without a rate, so that each
-- flow
-- finds its row.
{%- set columns = [
    "currency",
    "period",
    "frequency",
    "units_per_usd",
    "relative_deviation",
    "method",
    "days",
    "is_complete",
    "source",
    "release_date",
] %}
with
    rates as (
        select
            currency,
            period,
            frequency,
            units_per_usd,
            relative_deviation,
            case
                when days is null then 'published average' else 'average of daily rates'
            end as method,
            days,
            is_complete,
            rate_source as source,
            release_date
        from {{ ref("int_exchange_rates") }}
        where currency <> 'USD'
    ),

    periods as (
        select period, frequency
        from {{ ref("dim_period") }}
        union
        select period, frequency
        from {{ ref("int_exchange_rates") }}
        where currency = 'USD'
    ),

    dollars as (
        select
            'USD' as currency,
            period,
            frequency,
            cast(1 as double) as units_per_usd,
            cast(0 as double) as relative_deviation,
            'US dollar' as method
        from periods
    ),

    stated as (
        select currency, period, frequency
        from {{ ref("fct_royalty_observations") }}
        where currency <> 'USD'
        union
        select currency, period, frequency
        from {{ ref("fct_royalty_flows") }}
        where currency <> 'USD'
    ),

    missing as (
        select
            stated.currency,
            stated.period,
            stated.frequency,
            cast(null as double) as units_per_usd,
            cast(null as double) as relative_deviation,
            'no rate' as method
        from stated
        left join rates on stated.currency = rates.currency and stated.period = rates.period
        where rates.currency is null
    ),

    final as (
        select {{ column_list(columns) }}
        from rates
        {%- for unsourced in ["dollars", "missing"] %}
            union all
            select
                {{ column_list(columns[:6]) }},
                cast(null as bigint) as days,
                cast(null as boolean) as is_complete,
                cast(null as string) as source,
                cast(null as date) as release_date
            from {{ unsourced }}
        {%- endfor %}
    )

select {{ column_list(columns) }}
from final
order by currency, period
