with
    rates as ({{ accepted_rows(source("raw", "ecb_reference_rates__daily")) }}),

    final as (
        select
            cast(rates.date as date) as day,
            _column as currency,
            cast(value as double) as units_per_eur,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            _column as column_name
        from rates
        where value is not null and value <> 'N/A'
    )

select *
from final
