with
    countries as ({{ accepted_rows(source("raw", "worldbank_wdi__countries")) }}),

    final as (
        select
            country_code,
            table_name as country_name,
            region,
            income_group,
            special_notes,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number
        from countries
    )

select *
from final
