with
    subdivisions as ({{ accepted_rows(source("raw", "iso_3166__subdivisions")) }}),

    final as (
        select
            code as region_code,
            name as region_name,
            type as region_type,
            substr(code, 1, 2) as iso2,
            parent as parent_code,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number
        from subdivisions
    )

select *
from final
