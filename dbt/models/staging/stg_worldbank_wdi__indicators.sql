with
    indicators as ({{ accepted_rows(source("raw", "worldbank_wdi__indicators")) }}),

    final as (
        select
            indicator_code,
            indicator_name,
            source_note,
            source_organization,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number
        from indicators
    )

select *
from final
