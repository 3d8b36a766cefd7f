with
    rates as ({{ accepted_rows(source("raw", "fed_exchange_rates__annual")) }}),

    final as (
        select
            country,
            substr(rates.date, 1, 4) as period,
            cast(exchange_rate as double) as units_per_usd,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number
        from rates
    )

select *
from final
