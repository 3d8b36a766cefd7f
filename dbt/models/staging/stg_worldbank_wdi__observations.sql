with
    observations as ({{ accepted_rows(source("raw", "worldbank_wdi__observations")) }}),

    final as (
        select
            country_code,
            country_name,
            indicator_code,
            indicator_name,
            left(_column, 4) as period,
            {{ number_in("value") }} as value,
            {{ last_digit("value") }} as rounding,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            _column as column_name
        from observations
        where value is not null and value <> '..'
    )

select *
from final
