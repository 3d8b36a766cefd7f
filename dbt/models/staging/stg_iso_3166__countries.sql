with
    countries as ({{ accepted_rows(source("raw", "iso_3166__countries")) }}),

    final as (
        select
            alpha_3 as iso3,
            alpha_2 as iso2,
            countries.numeric as m49,
            coalesce(common_name, name) as country_name,
            official_name,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number
        from countries
    )

select *
from final
